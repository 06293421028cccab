-- What stands out in the traffic, kept while it lasts and afterwards; what was searched; and who was told.

create table finding (
    key          text primary key,
    kind         text not null,
    severity     text not null,
    service      text,
    method       text,
    route        text,
    status       text,
    client_ip    inet,
    network      cidr,
    client_type  text,
    start_at     timestamptz not null,
    end_at       timestamptz,
    unit         text not null,
    observed     double precision not null,
    expected     double precision not null,
    effect       double precision,
    score        double precision not null,
    p            double precision,
    n            bigint not null,
    cause        text not null,
    payload      jsonb not null,
    incident     text not null,
    late         boolean not null default false,
    watch        integer not null,
    opened_at    timestamptz not null default clock_timestamp(),
    updated_at   timestamptz not null default clock_timestamp(),
    closed_at    timestamptz,
    withdrawn_at timestamptz,
    constraint finding_severity_check check (severity in ('high', 'medium', 'low')),
    constraint finding_span_check check (end_at >= start_at),
    constraint finding_closed_check check ((closed_at is null) = (end_at is null))
);
create index finding_start_at_idx on finding (start_at desc, key desc);
create index finding_open_idx on finding (start_at) where end_at is null;
create index finding_incident_idx on finding (incident);
comment on table finding is 'Deviations that the watch found, one row from opening to closing and for ever after.';
comment on column finding.service is 'This and the six columns after it: the subject; NULL does not restrict it.';
comment on column finding.end_at is 'NULL while it lasts.';
comment on column finding.payload is 'The whole finding, with its evidence.';
comment on column finding.incident is 'Key of the finding with which the incident began that this one belongs to.';
comment on column finding.late is 'Found when its time was over already: in rows that came late, or after a long stop.';
comment on column finding.watch is 'Version of the search that found it.';
comment on column finding.opened_at is 'When it was found; start_at says since when it was so.';
comment on column finding.withdrawn_at is 'Rows that came later show that there was nothing.';

-- Ranges that the watch has gone through, in order of time; those that touch are one row.
create table watched (
    id           bigint generated always as identity primary key,
    service      text,
    start_at     timestamptz not null,
    end_at       timestamptz not null,
    watch        integer not null,
    updated_at   timestamptz not null default clock_timestamp(),
    constraint watched_span_check check (end_at > start_at)
);
create index watched_span_idx on watched (start_at, end_at);
comment on table watched is 'Ranges that were searched: what has no finding there has nothing to find.';
comment on column watched.service is 'NULL: all services.';

-- Ranges whose rows came after the watch had gone through them, or before it began. done_to: how far it is.
create table watch_queue (
    id           bigint generated always as identity primary key,
    service      text,
    start_at     timestamptz not null,
    end_at       timestamptz not null,
    done_to      timestamptz not null,
    added_at     timestamptz not null default clock_timestamp(),
    attempts     integer not null default 0,
    constraint watch_queue_span_check check (start_at <= done_to and done_to <= end_at)
);
comment on table watch_queue is 'Ranges that are still to be searched.';

-- One process watches: whoever holds the lease. No advisory lock, since clients of the embedded server share a session.
-- batches: the snapshot up to which ingest_batch was looked at for rows that came late.
create table watch_state (
    sole         boolean primary key default true check (sole),
    holder       text,
    leased_to    timestamptz not null default '-infinity',
    through      timestamptz,
    watch        integer not null default 0,
    batches      pg_snapshot,
    updated_at   timestamptz not null default clock_timestamp(),
    problem      text
);
insert into watch_state default values;
comment on table watch_state is 'One row: who watches, up to which minute, and what keeps him from it.';
comment on column watch_state.through is 'First minute that has not been watched; NULL before the first.';

-- One message for an incident that opens and one when it closes; a digest takes those together that were held back.
create table alert (
    id           bigint generated always as identity primary key,
    incident     text,
    what         text not null,
    severity     text not null,
    created_at   timestamptz not null default clock_timestamp(),
    due_at       timestamptz not null default clock_timestamp(),
    state        text not null default 'due',
    digest       bigint references alert (id),
    finished_at  timestamptz,
    constraint alert_what_check check (what in ('opened', 'closed', 'digest', 'test')),
    constraint alert_state_check check (state in ('due', 'held', 'sent', 'failed', 'dropped'))
);
create unique index alert_incident_idx on alert (incident, what) where incident is not null;
create index alert_waiting_idx on alert (due_at) where state in ('due', 'held');
comment on table alert is 'What was told, or is to be told, about which incident.';
comment on column alert.digest is 'The message that told it together with others.';

create table alert_delivery (
    alert_id     bigint not null references alert (id) on delete cascade,
    channel      text not null,
    state        text not null default 'due',
    attempts     integer not null default 0,
    next_at      timestamptz not null default clock_timestamp(),
    finished_at  timestamptz,
    error        text,
    primary key (alert_id, channel),
    constraint alert_delivery_state_check check (state in ('due', 'sent', 'failed'))
);
create index alert_delivery_finished_idx on alert_delivery (channel, finished_at desc);
comment on table alert_delivery is 'A message on its way to one channel.';
comment on column alert_delivery.channel is 'Name of the channel: its service, and its host where that is no secret.';

do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader') then
        grant select on finding, watched, watch_queue, watch_state, alert, alert_delivery to accessboard_reader;
    end if;
end
$$;
