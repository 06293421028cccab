-- What keeps the aggregates up to date. On a native server TimescaleDB's own scheduler runs these
-- jobs; the embedded one has no background workers, so a thread calls run_job() for the same jobs.

-- Refreshes exactly the minutes that were written to, every level bottom up, then removes them from
-- touched_minute, newest first. Rows committed while it runs bring entries of their own and are left
-- for the next run. A minute still open waits until it has ended: it is read from access_log meanwhile.
-- Every refresh is forced: touched_minute knows what
-- changed, and TimescaleDB 2.23's own invalidation log forgets changes of an aggregate on an aggregate.
-- config: window, the widest piece refreshed at once (bounds the memory of a build); gap, how far apart
-- two minutes may be to be refreshed together with what lies between (a late row must not cost the
-- hours since); budget, the time after which a run leaves the rest to the next one.
create procedure refresh_touched_minutes(job_id integer default null, config jsonb default null)
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
    level  record;
begin
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
        for level in
            select * from (values
                ('traffic_1m', interval '1 minute'), ('traffic_1h', interval '1 hour'), ('traffic_1d', interval '1 day'),
                ('endpoint_10m', interval '10 minutes'), ('endpoint_1h', interval '1 hour'), ('endpoint_1d', interval '1 day')
            ) as levels (name, width)
        loop
            call refresh_continuous_aggregate(
                level.name::regclass,
                time_bucket(level.width, low),
                time_bucket(level.width, high - interval '1 microsecond') + level.width,
                force => true
            );
        end loop;
        delete from touched_minute where id = any (seen);
        commit;
    end loop;
end
$$;
select add_job('refresh_touched_minutes', schedule_interval => interval '5 seconds', initial_start => now());

-- A net below it: rows that came around the ingest server (a restore, an INSERT by hand) have no
-- entry in touched_minute and are found by TimescaleDB's own invalidation log. The newest buckets are
-- left to the job above: two refreshes of one bucket at the same time make one of them fail. Batches of
-- single buckets, the default, would take seconds where there is little to do.
select add_continuous_aggregate_policy('traffic_1m', null, interval '1 hour', interval '10 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('traffic_1h', null, interval '3 hours', interval '30 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('traffic_1d', null, interval '2 days', interval '6 hours', buckets_per_batch => 0);
select add_continuous_aggregate_policy('endpoint_10m', null, interval '1 hour', interval '10 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('endpoint_1h', null, interval '3 hours', interval '30 minutes', buckets_per_batch => 0);
select add_continuous_aggregate_policy('endpoint_1d', null, interval '2 days', interval '6 hours', buckets_per_batch => 0);
