-- A job that ran while 0006 or 0008 were applied knew nothing of the levels that they added. Late minutes which it had
-- refreshed but not yet committed were on no list of theirs, and it took them off its own without marking these levels.
-- So what a level lacks is marked here. One snapshot for both lists: a minute is still on the first one, or is in
-- traffic_1m already.
with minutes as materialized (
    select minute from touched_minute union select bucket from traffic_1m
), lists as (
    select interval '1 day' as width, bucket from traffic_1d
    union
    select interval '1 hour', bucket from traffic_1h
    union
    select width, time_bucket(width, minute)
    from minutes, (values (interval '1 day'), (interval '1 hour'), (interval '5 minutes')) as widths (width)
), lacking as (
    select 'route_1h' as view, bucket from lists
    where width = interval '1 hour' and not exists (select from route_1h as level where level.bucket = lists.bucket)
    union all
    select 'client_1h', bucket from lists
    where width = interval '1 hour' and not exists (select from client_1h as level where level.bucket = lists.bucket)
    union all
    select 'route_1d', bucket from lists
    where width = interval '1 day' and not exists (select from route_1d as level where level.bucket = lists.bucket)
    union all
    select 'client_1d', bucket from lists
    where width = interval '1 day' and not exists (select from client_1d as level where level.bucket = lists.bucket)
    union all
    select 'traffic_5m', bucket from lists
    where width = interval '5 minutes' and not exists (select from traffic_5m as level where level.bucket = lists.bucket)
), marked as (
    insert into stale_bucket (view, bucket)
    select view, bucket from lacking where bucket >= (select raw_from from log_horizon)
    on conflict do nothing
)
insert into touched_minute (minute)
select minute from minutes
where minute >= now() - interval '25 hours'
and not exists (select from endpoint_1m as level where level.bucket = minutes.minute);
