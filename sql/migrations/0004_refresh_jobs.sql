-- What keeps the aggregates up to date. On a native server TimescaleDB's own scheduler runs these
-- jobs; the embedded one has no background workers, so a thread calls run_job() for the same jobs.

-- Refreshes exactly the minutes that were written to, every level bottom up, then removes them from
-- touched_minute, newest first. Rows committed while it runs bring entries of their own and are left
-- for the next run. A minute still open waits until it has ended: it is read from access_log meanwhile.
-- config: window, the widest piece refreshed at once (bounds the memory of a build); budget, the time
-- after which a run leaves the rest to the next one.
create procedure refresh_touched_minutes(job_id integer default null, config jsonb default null)
language plpgsql as $$
declare
    piece  interval := coalesce(config ->> 'window', '1 day')::interval;
    budget interval := coalesce(config ->> 'budget', '1 minute')::interval;
    started timestamptz := clock_timestamp();
    seen   bigint[];
    low    timestamptz;
    high   timestamptz;
    level  record;
begin
    while clock_timestamp() < started + budget loop
        select array_agg(id), min(minute), max(minute) + interval '1 minute' into seen, low, high
        from touched_minute
        where minute < now() - interval '75 seconds'
            and minute >= (
                select time_bucket(piece, max(minute)) from touched_minute
                where minute < now() - interval '75 seconds'
            );
        exit when seen is null;
        for level in
            select * from (values
                ('traffic_1m', interval '1 minute'), ('traffic_1h', interval '1 hour'), ('traffic_1d', interval '1 day'),
                ('endpoint_10m', interval '10 minutes'), ('endpoint_1h', interval '1 hour'), ('endpoint_1d', interval '1 day')
            ) as levels (name, width)
        loop
            call refresh_continuous_aggregate(
                level.name::regclass,
                time_bucket(level.width, low),
                time_bucket(level.width, high - interval '1 microsecond') + level.width
            );
        end loop;
        delete from touched_minute where id = any (seen);
        commit;
    end loop;
end
$$;
select add_job('refresh_touched_minutes', schedule_interval => interval '5 seconds', initial_start => now());

-- A net below it: rows that came around the ingest server (a restore, an INSERT by hand) have no
-- entry in touched_minute and are found by TimescaleDB's own invalidation log.
select add_continuous_aggregate_policy('traffic_1m', null, interval '2 minutes', interval '1 minute');
select add_continuous_aggregate_policy('traffic_1h', null, interval '1 hour', interval '10 minutes');
select add_continuous_aggregate_policy('traffic_1d', null, interval '1 day', interval '1 hour');
select add_continuous_aggregate_policy('endpoint_10m', null, interval '10 minutes', interval '5 minutes');
select add_continuous_aggregate_policy('endpoint_1h', null, interval '1 hour', interval '10 minutes');
select add_continuous_aggregate_policy('endpoint_1d', null, interval '1 day', interval '1 hour');
