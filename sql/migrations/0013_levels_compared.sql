-- The marks of migration 0009 could be lost: a job that had begun before migration 0006 goes on for up to a minute with
-- the procedure as it was, takes minutes off the list that were put there since, and knows nothing of the new levels.
-- So: wait until no job of before is left, then compare every level with the minutes, and have built anew what differs.

-- A job that begins from now on runs what is there now; one that has not ended in two minutes is ended, which costs
-- nothing: what it has not finished is still on its list.
do $$
declare
    waited integer := 0;
begin
    loop
        perform pg_stat_clear_snapshot();
        exit when not exists (
            select from pg_stat_activity
            where datname = current_database() and backend_start < now() and application_name like 'User-Defined Action%'
        );
        if waited = 240 then
            perform pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and backend_start < now() and application_name like 'User-Defined Action%';
        end if;
        perform pg_sleep(0.5);
        waited := waited + 1;
    end loop;
end
$$;

-- traffic_1m is what every version kept up to date, but for the minutes of touched_minute, which mark the levels when
-- they are refreshed. A bucket marked for nothing is built once more.
do $$
declare
    level record;
begin
    for level in select view, width from aggregate_level where width > interval '1 minute' loop
        execute format(
            'insert into stale_bucket (view, bucket) '
            'select %1$L, bucket from (select time_bucket(%2$L::interval, bucket) as bucket, sum(n) as n from traffic_1m group by 1) as minutes '
            'full join (select bucket, sum(n) as n from %1$I group by 1) as level using (bucket) '
            'where minutes.n is distinct from level.n and bucket >= (select raw_from from log_horizon) '
            'on conflict do nothing',
            level.view, level.width
        );
    end loop;
end
$$;
insert into touched_minute (minute)
select bucket
from (select bucket, sum(n) as n from traffic_1m where bucket >= now() - interval '25 hours' group by 1) as minutes
full join (select bucket, sum(n) as n from endpoint_1m where bucket >= now() - interval '25 hours' group by 1) as level
using (bucket)
where minutes.n is distinct from level.n;
