-- Records that are known again, the ledger of everything that arrived, and a bounded list of routes.

-- One index serves both: ranges of time, and "is this record here already?". Time leads, so live rows are
-- appended at its right edge; rows without a key never conflict, because NULLs are distinct.
alter table access_log add column record_key uuid;
comment on column access_log.record_key is
    'Digest of what makes the record unique (its _id, or file and offset); NULL where two equal records can both be honest.';
create unique index access_log_ts_record_key_idx on access_log (ts, record_key);
drop index access_log_ts_idx;

alter table ingest_batch add column bytes bigint not null default 0;
comment on column ingest_batch.bytes is 'Size of the body after decompression.';
create index ingest_batch_received_at_idx on ingest_batch (received_at);

alter table quarantine
    add column kind text not null default 'unreadable',
    add column size integer;
comment on column quarantine.kind is 'Short name of the reason, few in number.';
comment on column quarantine.size is 'Bytes of the record as it came; more than its length here where it was cut.';
create index quarantine_received_at_idx on quarantine (received_at);

-- Append-only while a minute is young, so that writers never wait for each other; older minutes are summed
-- into one row each. kind is empty but for quarantined records.
create table ingest_ledger (
    minute       timestamptz not null,
    source       text not null,
    service      text not null,
    kind         text not null default '',
    received     bigint not null,
    stored       bigint not null,
    duplicate    bigint not null,
    quarantined  bigint not null,
    bytes        bigint not null,
    first_arrival timestamptz not null default clock_timestamp(),
    last_arrival timestamptz not null default clock_timestamp(),
    lag_s        double precision not null default 0,
    lag_max_s    double precision not null default 0,
    summed       boolean not null default false,
    constraint ingest_ledger_sum_check check (received = stored + duplicate + quarantined)
);
create index ingest_ledger_minute_idx on ingest_ledger (minute);
create index ingest_ledger_young_idx on ingest_ledger (minute) where not summed;
comment on table ingest_ledger is 'What arrived, by minute of arrival, source, service and reason of quarantine.';
comment on column ingest_ledger.lag_s is 'Seconds from event to storage, summed over the stored records.';

create table ingest_refusal (
    minute       timestamptz not null,
    source       text not null,
    reason       text not null,
    requests     bigint not null,
    last_arrival timestamptz not null
);
create index ingest_refusal_minute_idx on ingest_refusal (minute);
comment on table ingest_refusal is 'Requests that were turned away whole: bad token, too large, overload, database away.';

-- What came before this version, so that the ledger and the log agree from the first day.
insert into ingest_ledger (minute, source, service, kind, received, stored, duplicate, quarantined, bytes,
                           first_arrival, last_arrival, lag_s, lag_max_s, summed)
select date_trunc('minute', received_at), source, service, '', sum(received - quarantined), sum(stored), sum(duplicate),
    0, 0, min(received_at), max(received_at), 0, 0, true
from ingest_batch group by 1, 2, 3 having sum(received - quarantined) > 0
union all
select date_trunc('minute', received_at), source, service, 'unreadable', sum(quarantined), 0, 0,
    sum(quarantined), 0, min(received_at), max(received_at), 0, 0, true
from ingest_batch group by 1, 2, 3 having sum(quarantined) > 0;

-- Routes are bounded per service: a scanner's million paths must not become a million rows of every aggregate.
create table route (
    service      text not null,
    name         text not null,
    first_seen   timestamptz not null default clock_timestamp(),
    primary key (service, name)
);
comment on table route is 'Every route that a stored request was given.';
insert into route (service, name) select distinct service, route from endpoint_1d on conflict do nothing;
insert into route (service, name)
select distinct log.service, log.route from access_log as log
where ts >= (select coalesce(min(minute), 'infinity') from touched_minute) on conflict do nothing;

-- The refresh may take its share of the machine, not all of it: at 100,000 records a second a minute is read
-- for seconds, and the ten minutes of an endpoint bucket each time one of them ends. After a run that took
-- long the job rests for twice that time; readers take the minutes that wait from the rows.
create table refresh_run (
    finished_at  timestamptz not null,
    took         interval not null
);
comment on table refresh_run is 'The last run of refresh_touched_minutes: one row, or none.';

alter procedure refresh_touched_minutes(integer, jsonb) rename to refresh_touched_minutes_now;

-- config: rest, how many times the last run's duration must have passed, if that was over a second; the others
-- are those of refresh_touched_minutes_now.
create procedure refresh_touched_minutes(job_id integer default null, config jsonb default null)
language plpgsql as $$
declare
    rest    float8 := coalesce((config ->> 'rest')::float8, 0);
    started timestamptz := clock_timestamp();
begin
    if exists (select from refresh_run where took > interval '1 second' and finished_at + took * rest > started) then
        return;
    end if;
    call refresh_touched_minutes_now(job_id, config);
    delete from refresh_run;
    insert into refresh_run values (clock_timestamp(), clock_timestamp() - started);
end
$$;
-- The job followed the renamed procedure.
select delete_job(job_id) from timescaledb_information.jobs where proc_name = 'refresh_touched_minutes_now';
select add_job(
    'refresh_touched_minutes', schedule_interval => interval '5 seconds', config => '{"rest": 2}', initial_start => now()
);
