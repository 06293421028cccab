-- A day in buckets of five minutes read 30,000 rows of traffic_1m, most of the cost of every chart of a day.
create materialized view traffic_5m
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '5 minutes', bucket) as bucket, service, status,
    sum(n)::bigint as n, sum(n_lat)::bigint as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes,
    sum(sketch) as sketch
from traffic_1m
group by 1, service, status
with no data;

insert into aggregate_level values ('traffic_5m', '5 minutes', 'traffic_1m', 12, '5 seconds', null);

alter materialized view traffic_5m set (
    timescaledb.enable_columnstore = true, timescaledb.orderby = 'bucket', timescaledb.segmentby = ''
);
select set_chunk_time_interval(
    format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass, interval '1 day'
)
from timescaledb_information.continuous_aggregates where view_schema = 'public' and view_name = 'traffic_5m';

-- A bucket of these levels fills several batches of the columnstore: sorted inside it, one client or endpoint is found
-- in one of them instead of all. What is in the columnstore already stays as it is.
alter materialized view client_1h set (
    timescaledb.enable_columnstore = true, timescaledb.orderby = 'bucket, client_ip', timescaledb.segmentby = ''
);
alter materialized view endpoint_1h set (
    timescaledb.enable_columnstore = true, timescaledb.orderby = 'bucket, route, method', timescaledb.segmentby = ''
);

-- The net for rows that came around the ingest server, as in migration 0004.
select add_continuous_aggregate_policy('traffic_5m', null, '1 hour', '10 minutes', buckets_per_batch => 0);

-- What is stored already: the level is built from now on, newest first; traffic_1m serves meanwhile.
insert into stale_bucket (view, bucket)
select 'traffic_5m', bucket from (select distinct time_bucket(interval '5 minutes', bucket) as bucket from traffic_1m) as buckets;
