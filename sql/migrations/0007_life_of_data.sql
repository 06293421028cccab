-- What becomes of data as it ages: into the columnstore after some days, and out of the database where a setting
-- says so. Nothing that is counted changes by it.

-- Jobs, and perhaps viewers and writers, are at work, each locking these tables in an order of its own. So they are
-- taken all together or, for the moment, not at all: whoever waits while he holds some ends in a deadlock.
do $$
declare
    views text := (select string_agg(quote_ident(view), ', ') from aggregate_level);
begin
    for attempt in 1..600 loop
        begin
            set local lock_timeout = '100ms';
            execute format(
                'lock table log_horizon, touched_minute, only access_log, %s in access exclusive mode', views
            );
            set local lock_timeout = 0;
            return;
        exception when lock_not_available then
            perform pg_sleep(0.1);
        end;
    end loop;
    raise exception 'the tables are in use: stop the ingest server and the dashboard, and try again';
end
$$;

alter table access_log set (
    timescaledb.enable_columnstore = true, timescaledb.orderby = 'ts desc', timescaledb.segmentby = ''
);

-- Without segmentby: a late bucket would cost 8 to 15 times as much to refresh. A level that is not kept is dropped
-- before it is worth converting.
do $$
declare
    level record;
begin
    for level in
        select view, width, kept,
            format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass as stored
        from aggregate_level
        join timescaledb_information.continuous_aggregates on view_schema = 'public' and view_name = view
    loop
        if level.kept is null then
            execute format(
                'alter materialized view %I set (timescaledb.enable_columnstore = true, '
                'timescaledb.orderby = ''bucket'', timescaledb.segmentby = '''')', level.view
            );
        end if;
        perform set_chunk_time_interval(level.stored, case
            when level.kept is not null then interval '6 hours'
            when level.width < interval '1 hour' then interval '1 day'
            when level.width < interval '1 day' then interval '10 days'
            else interval '365 days'
        end);
    end loop;
end
$$;

-- Rows go in three steps, so that none is lost silently: what is older than announced_from is refused by the ingest
-- server; ten minutes later, and only once the aggregates hold all of it, raw_from moves there; ten minutes later
-- the chunks before raw_from are dropped.
alter table log_horizon
    add column announced_from timestamptz not null default '-infinity',
    add column figures_from   timestamptz not null default '-infinity',
    add column settled_at     timestamptz not null default '-infinity';
comment on column log_horizon.announced_from is 'Older records go into quarantine, since announced_at.';
comment on column log_horizon.raw_from is 'Rows before it may be gone; none is stored any more. Never moves back.';
comment on column log_horizon.figures_from is 'Buckets before it may be gone. Never moves back.';
comment on column log_horizon.settled_at is 'When raw_from or figures_from moved last.';

-- Whoever stores rows lists their minutes in the same transaction: a row that came too late for the aggregates
-- cannot get in, whatever the process that brings it knows of the horizon.
create function refuse_minute_before_horizon() returns trigger language plpgsql as $$
declare
    first timestamptz := (select raw_from from log_horizon);
begin
    if new.minute < first then
        raise exception using errcode = 'check_violation', message = format(
            'rows before %s UTC are no longer kept (KEEP_LOG_DAYS, KEEP_LOG_GB)',
            to_char(first at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
        );
    end if;
    return new;
end
$$;
-- The horizon is never nearer than six hours, so what arrives live is not looked at.
create trigger refuse_before_horizon before insert on touched_minute
for each row when (new.minute < now() - interval '6 hours') execute function refuse_minute_before_horizon();

create table data_aging (
    sole         boolean primary key default true check (sole),
    finished_at  timestamptz not null,
    took         interval not null,
    converted    integer not null,
    dropped      integer not null,
    problem      text
);
comment on table data_aging is 'The last run of age_data: one row, or none.';

-- A native server keeps these itself.
create table job_run (
    job_id       integer primary key,
    last_success timestamptz,
    last_failure timestamptz,
    error        text
);
comment on table job_run is 'The last runs of the jobs that accessboard runs in place of the embedded server.';

-- Bodies are texts: one that the database understands would bind TimescaleDB's views, which an update of it drops.
create function log_chunk_start(moment timestamptz) returns timestamptz language sql stable
as $$
    select coalesce(
        (
            select max(range_start) from timescaledb_information.chunks
            where hypertable_schema = 'public' and hypertable_name = 'access_log'
            and range_start <= moment and range_end > moment
        ),
        (
            select time_bucket(time_interval, moment) from timescaledb_information.dimensions
            where hypertable_schema = 'public' and hypertable_name = 'access_log'
        )
    );
$$;
comment on function log_chunk_start is 'Start of the chunk of access_log that holds a moment, or would.';

-- By age, and by size: the oldest chunks go first. The last six hours stay, however large they are. A setting that
-- was taken back takes the announcement back too, but not further than rows are there.
create function announce_horizon(days float8, most_bytes float8) returns void language plpgsql as $$
declare
    by_age  timestamptz := '-infinity';
    by_size timestamptz := '-infinity';
begin
    if days > 0 then
        by_age := log_chunk_start(now() - make_interval(secs => days * 86400));
    end if;
    if most_bytes > 0 then
        select coalesce(max(range_end), '-infinity') into by_size from (
            select range_end, sum(total_bytes) over (order by range_start desc) as bytes
            from chunks_detailed_size('access_log')
            join timescaledb_information.chunks using (chunk_schema, chunk_name)
        ) as chunks where bytes > most_bytes;
    end if;
    update log_horizon as old set announced_from = new.first, announced_at = clock_timestamp()
    from (
        select greatest(
            raw_from, least(greatest(by_age, by_size), log_chunk_start(now() - interval '6 hours'))
        ) as first from log_horizon
    ) as new
    where old.announced_from <> new.first;
end
$$;

-- TimescaleDB takes dropped rows for changed ones, and its policies would then empty the buckets built from them.
-- So the policies of the views of a source reach back to what is there of it, no further. In seconds: a day of an
-- interval has 23 hours where a clock changes.
create function limit_refreshes(of_log boolean, first timestamptz) returns void language sql
as $$
    select alter_job(job_id, config => jsonb_set(
        config, '{start_offset}', to_jsonb(make_interval(secs => floor(reach)::float8)::text)
    ))
    from (
        select job_id, config, kept, (config ->> 'start_offset')::interval as now_reaching,
            extract(epoch from clock_timestamp() - first) as reach
        from timescaledb_information.jobs
        join aggregate_level on hypertable_schema = 'public' and hypertable_name = view
        where proc_name = 'policy_refresh_continuous_aggregate' and (source = 'access_log') = of_log
        and first > '-infinity'
    ) as policy
    where now_reaching is null
    or extract(epoch from now_reaching) not between case when kept is null then reach - 86400 else 0 end and reach;
$$;

-- Under the lock nobody stores: what was stored before is seen here, what comes after meets the trigger above.
-- Returns whether the horizon moved.
create function settle_rows(first timestamptz) returns boolean language plpgsql as $$
begin
    perform set_config('lock_timeout', '2s', true);
    lock table touched_minute in share mode;
    if exists (select from touched_minute where minute < first) or exists (
        select from stale_bucket join aggregate_level using (view) where source = 'access_log' and bucket < first
    ) then
        return false;
    end if;
    update log_horizon set raw_from = first, settled_at = clock_timestamp();
    return true;
end
$$;

create function settle_figures(first timestamptz) returns boolean language plpgsql as $$
begin
    if exists (select from stale_bucket where bucket < first) then
        return false;
    end if;
    update log_horizon set figures_from = first, settled_at = clock_timestamp();
    return true;
end
$$;

-- Moves the horizons that are due. Returns what it waits for, if it waits.
create function settle_horizon(figure_days float8, grace interval) returns text language plpgsql as $$
declare
    horizon log_horizon;
    figures timestamptz;
    waiting text;
begin
    select * into horizon from log_horizon;
    if horizon.announced_from > horizon.raw_from and horizon.announced_at <= clock_timestamp() - grace then
        if settle_rows(horizon.announced_from) then
            horizon.raw_from := horizon.announced_from;
        else
            waiting := 'rows that are due to be dropped are not in the aggregates yet';
        end if;
    end if;
    figures := least(time_bucket('1 day', now() - make_interval(secs => figure_days * 86400)), horizon.raw_from);
    if figure_days > 0 and figures > horizon.figures_from and not settle_figures(figures) then
        waiting := 'buckets that are due to be dropped are not in the coarser levels yet';
    end if;
    -- In the transaction that moved them, and again with time: what is kept has got longer since.
    perform limit_refreshes(true, raw_from), limit_refreshes(false, figures_from) from log_horizon;
    return waiting;
end
$$;

-- A policy that began before it was limited has ended by then.
create function drop_aged_chunks(grace interval) returns integer language plpgsql as $$
declare
    horizon log_horizon;
    level   record;
    dropped integer := 0;
begin
    perform set_config('lock_timeout', '5s', true);
    for level in select view from aggregate_level where kept is not null loop
        dropped := dropped
            + (select count(*) from drop_chunks(level.view::regclass, older_than => now() - interval '2 days'));
    end loop;
    select * into horizon from log_horizon;
    if horizon.settled_at > clock_timestamp() - grace then
        return dropped;
    end if;
    if horizon.raw_from > '-infinity' then
        dropped := dropped + (select count(*) from drop_chunks('access_log', older_than => horizon.raw_from));
    end if;
    if horizon.figures_from > '-infinity' then
        for level in select view from aggregate_level where kept is null order by ordinal loop
            dropped := dropped
                + (select count(*) from drop_chunks(level.view::regclass, older_than => horizon.figures_from));
        end loop;
    end if;
    return dropped;
end
$$;

-- Whether nothing of a chunk changes: a conversion writes what is committed as if it had always been there, so a reader
-- whose snapshot is older would count rows that its own list of touched minutes does not know. `quiet` is longer than
-- any reader lives.
create function is_quiet(chunk_view text, low timestamptz, high timestamptz, quiet interval)
returns boolean language sql stable
as $$
    select not exists (select from touched_minute where minute >= low and minute < high)
        and not exists (select from stale_bucket where view = chunk_view and bucket >= low and bucket < high)
        and not exists (
            select from ingest_batch
            where received_at > now() - quiet and stored > 0 and first_ts < high and last_ts >= low
        )
$$;

-- Chunks to convert, the oldest first: whole and quiet ones. A chunk in the columnstore that got late rows is done
-- again when they are many; a few are read as rows beside it.
create function chunks_to_convert(older_than timestamptz, least_bytes bigint, quiet interval)
returns table (chunk regclass, view text, range_start timestamptz, range_end timestamptz) language sql stable
as $$
    with stored as (
        select 'public' as schema, 'access_log' as name, 'access_log' as view
        union all
        select materialization_hypertable_schema, materialization_hypertable_name, view
        from timescaledb_information.continuous_aggregates
        join aggregate_level on view_schema = 'public' and view_name = view
        where kept is null
    ), old as (
        select format('%I.%I', chunk_schema, chunk_name)::regclass as chunk, stored.view, range_start, range_end
        from timescaledb_information.chunks
        join stored on hypertable_schema = stored.schema and hypertable_name = stored.name
        where range_end <= older_than
    )
    -- Of the status: 1 in the columnstore, 4 frozen, 8 with rows beside it.
    select chunk, view, range_start, range_end
    from old, lateral (select _timescaledb_functions.chunk_status(chunk) as status) as found
    where status & 4 = 0 and (status & 1 = 0 or status & 8 > 0 and pg_relation_size(chunk) >= least_bytes)
    and is_quiet(view, range_start, range_end, quiet)
    order by range_end, view;
$$;

-- config: columnstore_after_days, keep_log_days, keep_log_gb, keep_figures_days (0: never, for ever, unbounded);
-- grace, between the steps of dropping; quiet, since the last arrival in a chunk that may be converted; budget, the time after which a run leaves the rest to the next one;
-- recompress_bytes, how much beside the columnstore is worth converting a chunk again.
create procedure age_data(job_id integer default null, config jsonb default null)
language plpgsql as $$
declare
    after_days float8 := coalesce((config ->> 'columnstore_after_days')::float8, 7);
    grace      interval := coalesce(config ->> 'grace', '10 minutes')::interval;
    budget     interval := coalesce(config ->> 'budget', '2 minutes')::interval;
    enough     bigint := coalesce((config ->> 'recompress_bytes')::bigint, 8388608);
    quiet      interval := coalesce(config ->> 'quiet', '2 minutes')::interval;
    started    timestamptz := clock_timestamp();
    converted  integer := 0;
    dropped    integer := 0;
    problem    text;
    waiting    text;
    old        record;
begin
    begin
        dropped := drop_aged_chunks(grace);
    exception when others then
        problem := 'dropping: ' || sqlerrm;
    end;
    commit;
    begin
        -- First what is asked for now: a setting taken back in time keeps what it had announced to drop.
        perform announce_horizon(
            coalesce((config ->> 'keep_log_days')::float8, 0), coalesce((config ->> 'keep_log_gb')::float8, 0) * 1e9
        );
        waiting := settle_horizon(coalesce((config ->> 'keep_figures_days')::float8, 0), grace);
    exception when others then
        problem := coalesce(problem, 'horizon: ' || sqlerrm);
    end;
    commit;
    if after_days > 0 then
        for old in
            select * from chunks_to_convert(now() - make_interval(secs => after_days * 86400), enough, quiet)
        loop
            exit when clock_timestamp() > started + budget;
            begin
                perform set_config('lock_timeout', '5s', true);
                -- A part of a chunk converted again is gone for readers with an older snapshot; a whole one is not.
                perform set_config(name, 'off', true) from pg_settings
                where name = 'timescaledb.enable_segmentwise_recompression';
                execute format('lock table %s in exclusive mode', old.chunk);
                if is_quiet(old.view, old.range_start, old.range_end, quiet) then
                    call convert_to_columnstore(old.chunk, if_not_columnstore => true);
                    converted := converted + 1;
                end if;
            exception when others then
                problem := coalesce(problem, format('converting %s of %s: %s', old.chunk, old.view, sqlerrm));
            end;
            commit;
        end loop;
    end if;
    delete from data_aging;
    insert into data_aging (finished_at, took, converted, dropped, problem)
    values (clock_timestamp(), clock_timestamp() - started, converted, dropped, coalesce(problem, waiting));
end
$$;
select add_job('age_data', schedule_interval => interval '10 minutes', initial_start => now() + interval '1 minute');

do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader') then
        grant select on data_aging, job_run to accessboard_reader;
    end if;
end
$$;
