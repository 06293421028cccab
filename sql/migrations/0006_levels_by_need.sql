-- More levels, and each refreshed only when it is worth it.
--   endpoint_1m  the last day by minute: at 20,000 requests a second ten minutes cannot be read from the rows
--   route_*      endpoints without their statuses, which the endpoint table and its series need ten times as often
--   client_*     by client address
-- n1 to n5 count requests by status class; n5 all from 500 on. The other measures are those of migration 0003.

create materialized view endpoint_1m
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 minute', ts) as bucket, service, method, route, status,
    count(*) as n,
    count(latency_ms) as n_lat,
    sum(round(latency_ms * 1000)::bigint) as us,
    max(latency_ms) as mx,
    sum(bytes) as bytes,
    sum(latency_sketch(latency_ms)) as sketch
from access_log
group by 1, service, method, route, status
with no data;

create materialized view route_1h
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 hour', bucket) as bucket, service, method, route,
    sum(n)::bigint as n,
    coalesce(sum(n) filter (where status < 200), 0)::bigint as n1,
    coalesce(sum(n) filter (where status >= 200 and status < 300), 0)::bigint as n2,
    coalesce(sum(n) filter (where status >= 300 and status < 400), 0)::bigint as n3,
    coalesce(sum(n) filter (where status >= 400 and status < 500), 0)::bigint as n4,
    coalesce(sum(n) filter (where status >= 500), 0)::bigint as n5,
    sum(n_lat)::bigint as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from endpoint_1h
group by 1, service, method, route
with no data;

create materialized view route_1d
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 day', bucket) as bucket, service, method, route,
    sum(n)::bigint as n, sum(n1)::bigint as n1, sum(n2)::bigint as n2, sum(n3)::bigint as n3, sum(n4)::bigint as n4,
    sum(n5)::bigint as n5,
    sum(n_lat)::bigint as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from route_1h
group by 1, service, method, route
with no data;

create materialized view client_1h
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 hour', ts) as bucket, service, client_ip,
    count(*) as n,
    count(*) filter (where status < 200) as n1,
    count(*) filter (where status >= 200 and status < 300) as n2,
    count(*) filter (where status >= 300 and status < 400) as n3,
    count(*) filter (where status >= 400 and status < 500) as n4,
    count(*) filter (where status >= 500) as n5,
    count(latency_ms) as n_lat,
    sum(round(latency_ms * 1000)::bigint) as us,
    max(latency_ms) as mx,
    sum(bytes) as bytes,
    sum(latency_sketch(latency_ms)) as sketch
from access_log
group by 1, service, client_ip
with no data;

create materialized view client_1d
with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as
select time_bucket(interval '1 day', bucket) as bucket, service, client_ip,
    sum(n)::bigint as n, sum(n1)::bigint as n1, sum(n2)::bigint as n2, sum(n3)::bigint as n3, sum(n4)::bigint as n4,
    sum(n5)::bigint as n5,
    sum(n_lat)::bigint as n_lat, sum(us) as us, max(mx) as mx, sum(bytes) as bytes, sum(sketch) as sketch
from client_1h
group by 1, service, client_ip
with no data;

create index on endpoint_10m (route, method, bucket);
create index on endpoint_1h (route, method, bucket);
create index on route_1h (route, method, bucket);
create index on client_1h (client_ip, bucket);
create index on client_1d (client_ip, bucket);
create index on client_1h (bucket, n desc);
create index on client_1d (bucket, n desc);
create index access_log_client_ip_ts_idx on access_log (client_ip, ts desc);

-- The levels in the order in which they are refreshed: each after its source. patience: how long a bucket that
-- has ended and got late rows waits for more of them (readers take the finer level meanwhile). kept: how far back
-- a level is kept up to date; everything where there is none.
create table aggregate_level (
    view         text primary key,
    width        interval not null,
    source       text not null,
    ordinal      integer not null unique,
    patience     interval not null,
    kept         interval
);
comment on table aggregate_level is 'The continuous aggregates: what they are built from, and in which order.';
insert into aggregate_level values
    ('traffic_1m', '1 minute', 'access_log', 1, '0', null),
    ('endpoint_1m', '1 minute', 'access_log', 2, '0', '25 hours'),
    ('endpoint_10m', '10 minutes', 'access_log', 3, '10 seconds', null),
    ('traffic_1h', '1 hour', 'traffic_1m', 4, '20 seconds', null),
    ('endpoint_1h', '1 hour', 'endpoint_10m', 5, '20 seconds', null),
    ('route_1h', '1 hour', 'endpoint_1h', 6, '20 seconds', null),
    ('client_1h', '1 hour', 'access_log', 7, '1 minute', null),
    ('traffic_1d', '1 day', 'traffic_1h', 8, '2 minutes', null),
    ('endpoint_1d', '1 day', 'endpoint_1h', 9, '5 minutes', null),
    ('route_1d', '1 day', 'route_1h', 10, '5 minutes', null),
    ('client_1d', '1 day', 'client_1h', 11, '10 minutes', null);

-- What touched_minute is for the minutes: a bucket listed here is read from a finer level.
create sequence stale_mark;
create table stale_bucket (
    view         text not null,
    bucket       timestamptz not null,
    since        timestamptz not null default clock_timestamp(),
    mark         bigint not null default nextval('stale_mark'),
    primary key (view, bucket)
);
comment on table stale_bucket is 'Buckets of the coarser levels that no refresh has covered since a minute of them changed.';
comment on column stale_bucket.mark is 'New with every change: a refresh removes the entry only if nothing changed meanwhile.';

-- Rows before raw_from may have been dropped. What was built from them stays as it is.
create table log_horizon (
    sole         boolean primary key default true check (sole),
    raw_from     timestamptz not null default '-infinity',
    announced_at timestamptz not null default clock_timestamp()
);
insert into log_horizon default values;
comment on table log_horizon is 'One row: from which moment on the rows of access_log are there.';

create or replace procedure refresh_touched_minutes_now(job_id integer default null, config jsonb default null)
language plpgsql as $$
declare
    piece  interval := coalesce(config ->> 'window', '1 day')::interval;
    gap    interval := coalesce(config ->> 'gap', '1 hour')::interval;
    budget interval := coalesce(config ->> 'budget', '1 minute')::interval;
    started timestamptz := clock_timestamp();
    newest timestamptz;
    seen   bigint[];
    low    timestamptz;
    high   timestamptz;
    begin_at timestamptz;
    level  record;
begin
    -- Its rows may be gone, and with them what a refresh would build.
    delete from touched_minute where minute < (select raw_from from log_horizon);
    while clock_timestamp() < started + budget loop
        select max(minute) into newest from touched_minute where minute < now() - interval '75 seconds';
        exit when newest is null;
        with settled as (
            select id, minute, lead(minute) over (order by minute) - minute > gap as apart
            from touched_minute
            where minute >= time_bucket(piece, newest) and minute <= newest
        )
        select array_agg(id), min(minute), max(minute) + interval '1 minute' into seen, low, high
        from settled
        where minute > coalesce((select max(minute) from settled where apart), '-infinity');
        -- First the marks, so that no coarser level is trusted while the minutes change.
        insert into stale_bucket (view, bucket)
        select view, bucket from aggregate_level
        cross join lateral (
            select distinct time_bucket(width, minute) as bucket from touched_minute where id = any (seen)
        ) as buckets
        where width > interval '1 minute'
        on conflict (view, bucket) do update set mark = nextval('stale_mark');
        commit;
        for level in select view, kept from aggregate_level where width = interval '1 minute' order by ordinal loop
            begin_at := greatest(low, time_bucket('1 minute', now() - level.kept));
            if begin_at < high then
                call refresh_continuous_aggregate(level.view::regclass, begin_at, high, force => true);
            end if;
        end loop;
        delete from touched_minute where id = any (seen);
        commit;
    end loop;
end
$$;

-- Refreshes the buckets of the coarser levels that have ended, newest first, each level after its source. A bucket
-- with a minute or a finer bucket still to be refreshed waits. Runs beside refresh_touched_minutes.
-- config: gap, budget as there; patience, a factor for aggregate_level.patience.
create procedure refresh_stale_buckets(job_id integer default null, config jsonb default null)
language plpgsql as $$
declare
    gap     interval := coalesce(config ->> 'gap', '1 hour')::interval;
    budget  interval := coalesce(config ->> 'budget', '1 minute')::interval;
    patient float8 := coalesce((config ->> 'patience')::float8, 1);
    started timestamptz := clock_timestamp();
    level   record;
    buckets timestamptz[];
    marks   bigint[];
    low     timestamptz;
    high    timestamptz;
begin
    for level in select * from aggregate_level where width > interval '1 minute' order by ordinal loop
        loop
            if clock_timestamp() > started + budget then
                return;
            end if;
            with ready as (
                select bucket, mark from stale_bucket as stale
                where view = level.view and bucket + level.width <= now() - interval '75 seconds'
                and since <= clock_timestamp() - level.patience * patient
                and not exists (
                    select from touched_minute
                    where minute >= stale.bucket and minute < stale.bucket + level.width
                )
                and not exists (
                    select from stale_bucket as finer where finer.view = level.source
                    and finer.bucket >= stale.bucket and finer.bucket < stale.bucket + level.width
                )
            ), spaced as (
                select bucket, mark, lead(bucket) over (order by bucket) - bucket > greatest(gap, level.width) as apart
                from ready
                where bucket > (select max(bucket) from ready) - greatest(interval '1 day', level.width * 30)
            )
            select array_agg(bucket), array_agg(mark), min(bucket), max(bucket) + level.width
            into buckets, marks, low, high from spaced
            where bucket > coalesce((select max(bucket) from spaced where apart), '-infinity');
            exit when buckets is null;
            commit;
            call refresh_continuous_aggregate(level.view::regclass, low, high, force => true);
            delete from stale_bucket as stale using unnest(buckets, marks) as done (bucket, mark)
            where stale.view = level.view and stale.bucket = done.bucket and stale.mark = done.mark;
            commit;
        end loop;
    end loop;
end
$$;
select add_job('refresh_stale_buckets', schedule_interval => interval '5 seconds', initial_start => now());

-- The net for rows that came around the ingest server, as in migration 0004.
select add_continuous_aggregate_policy('endpoint_1m', interval '1 day', interval '1 hour', interval '10 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('route_1h', null, interval '3 hours', interval '30 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('route_1d', null, interval '2 days', interval '6 hours', buckets_per_batch => 0);
select add_continuous_aggregate_policy('client_1h', null, interval '3 hours', interval '30 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('client_1d', null, interval '2 days', interval '6 hours', buckets_per_batch => 0);

-- What is stored already: the new levels are built from now on, newest first; finer ones serve meanwhile.
insert into touched_minute (minute)
select distinct bucket from traffic_1m where bucket >= now() - interval '25 hours';
insert into stale_bucket (view, bucket)
select view, bucket from (values ('route_1h'), ('client_1h')) as levels (view), (select distinct bucket from traffic_1h) as hours
union all
select view, bucket from (values ('route_1d'), ('client_1d')) as levels (view), (select distinct bucket from traffic_1d) as days;

-- Who only looks may only look. Without the right to make roles the readers stay what the connection is.
do $$
begin
    if not exists (select from pg_roles where rolname = 'accessboard_reader') then
        create role accessboard_reader nologin;
    end if;
    if not pg_has_role('accessboard_reader', 'member') then
        execute format('grant accessboard_reader to %I', current_user);
    end if;
exception
    when insufficient_privilege then raise notice 'no role accessboard_reader: the user of the database may not create it';
    when duplicate_object or unique_violation then null;  -- another database of the server did at this moment
end
$$;
do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader') then
        grant usage on schema public to accessboard_reader;
        grant select on all tables in schema public to accessboard_reader;
        alter default privileges in schema public grant select on tables to accessboard_reader;
    end if;
end
$$;
