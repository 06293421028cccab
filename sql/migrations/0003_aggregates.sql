-- Two families of continuous aggregates, each level built from the one below it.
--   traffic_*   by service and status: totals, shares, trends
--   endpoint_*  by service, method, route and status: everything with a route
-- n requests, n_lat of them with a latency, us the sum of those latencies in whole microseconds (float
-- sums would differ by the order of addition), mx their maximum in ms.
-- materialized_only: readers add the minutes of touched_minute themselves, exactly.

create materialized view traffic_1m
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 minute', ts) as bucket, service, status,
    count(*) as n,
    count(latency_ms) as n_lat,
    sum(round(latency_ms * 1000)::bigint) as us,
    max(latency_ms) as mx,
    sum(bytes) as bytes,
    sum(latency_sketch(latency_ms)) as sketch
from access_log
group by 1, service, status
with no data;

create materialized view traffic_1h
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 hour', bucket) as bucket, service, status,
    sum(n) as n, sum(n_lat) as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from traffic_1m
group by 1, service, status
with no data;

create materialized view traffic_1d
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 day', bucket) as bucket, service, status,
    sum(n) as n, sum(n_lat) as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from traffic_1h
group by 1, service, status
with no data;

create materialized view endpoint_10m
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '10 minutes', ts) as bucket, service, method, route, status,
    count(*) as n,
    count(latency_ms) as n_lat,
    sum(round(latency_ms * 1000)::bigint) as us,
    max(latency_ms) as mx,
    sum(bytes) as bytes,
    sum(latency_sketch(latency_ms)) as sketch
from access_log
group by 1, service, method, route, status
with no data;

create materialized view endpoint_1h
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 hour', bucket) as bucket, service, method, route, status,
    sum(n) as n, sum(n_lat) as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from endpoint_10m
group by 1, service, method, route, status
with no data;

create materialized view endpoint_1d
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 day', bucket) as bucket, service, method, route, status,
    sum(n) as n, sum(n_lat) as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from endpoint_1h
group by 1, service, method, route, status
with no data;
