-- The log itself, what was refused, and the receipt of every batch.

create extension if not exists timescaledb;

create table ingest_batch (
    id           bigint generated always as identity primary key,
    -- The transaction that wrote the batch: the live log asks "which batches became visible since my
    -- last snapshot?", a question that ids answer wrongly when two batches commit out of order.
    xact         xid8 not null default pg_current_xact_id(),
    received_at  timestamptz not null default clock_timestamp(),
    source       text not null,
    service      text not null,
    identity     bytea unique,
    received     integer not null,
    stored       integer not null,
    duplicate    integer not null,
    quarantined  integer not null,
    first_ts     timestamptz,
    last_ts      timestamptz,
    constraint ingest_batch_sum_check check (received = stored + duplicate + quarantined)
);
create index ingest_batch_xact_idx on ingest_batch (xact);
comment on table ingest_batch is 'One row per accepted request body or imported piece of a file: the ledger.';
comment on column ingest_batch.identity is
    'SHA-256 over what makes the batch unique; NULL where two equal batches can both be honest.';

create table access_log (
    ts           timestamptz not null,
    service      text not null,
    method       text not null,
    path         text not null,
    route        text not null,
    status       smallint not null,
    latency_ms   double precision,
    bytes        bigint,
    client_ip    inet,
    user_agent   text,
    referer      text,
    attributes   jsonb,
    batch_id     bigint not null,
    constraint access_log_status_check check (status between 100 and 999),
    -- NaN and infinity are greater than every number in PostgreSQL, so one upper bound refuses both.
    constraint access_log_latency_ms_check check (latency_ms >= 0 and latency_ms < 1e12)
);
select create_hypertable(
    'access_log', by_range('ts', interval '1 day'), create_default_indexes => false
);
create index access_log_ts_idx on access_log (ts desc);
comment on table access_log is 'One row per HTTP request.';
comment on column access_log.path is 'Path as requested, without its query string.';
comment on column access_log.route is 'Path with its ids replaced by placeholders.';
comment on column access_log.latency_ms is 'Milliseconds; NULL where the log has none.';
comment on column access_log.attributes is 'Fields of the record that no column holds.';
comment on column access_log.batch_id is 'The ingest_batch the row came with.';

-- Kept beside the log because the distinct services of millions of rows cannot be had quickly.
create table service (
    name         text primary key,
    first_seen   timestamptz not null default clock_timestamp()
);
comment on table service is 'Every service that a stored request names.';

create table quarantine (
    id           bigint generated always as identity primary key,
    batch_id     bigint not null references ingest_batch (id),
    received_at  timestamptz not null default clock_timestamp(),
    reason       text not null,
    record       bytea not null
);
create index quarantine_batch_id_idx on quarantine (batch_id);
comment on table quarantine is 'Records that could not become a row of access_log, byte for byte, with the reason.';

-- Minutes whose rows the aggregates do not hold yet. Written in the transaction of the rows, removed
-- after the refresh that covers them: a minute listed here is read from access_log, every other one
-- from the aggregates, so a figure is right at any moment. Append-only, so writers never wait.
create table touched_minute (
    id           bigint generated always as identity primary key,
    minute       timestamptz not null
);
create index touched_minute_minute_idx on touched_minute (minute);
comment on table touched_minute is 'Minutes with rows that no refresh has covered yet.';
