-- Test records that the dashboard sends through the ingest server, one a minute, to see whether collecting works. The
-- ingest server tries to store each like any other, takes that back, and notes here that it could: none is ever counted.

create table canary (
    id        uuid primary key,
    sent_at   timestamptz not null,
    stored_at timestamptz,
    seen_at   timestamptz,
    problem   text
);
create index canary_sent_at_idx on canary (sent_at);
comment on table canary is 'Test records, one a minute: announced before they are sent, kept for a month.';
comment on column canary.sent_at is 'By the clock of the dashboard.';
comment on column canary.stored_at is 'When the ingest server could store it.';
comment on column canary.seen_at is 'When the dashboard saw that it had been stored.';
comment on column canary.problem is 'Why it did not come back.';

do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader') then
        grant select on canary to accessboard_reader;
    end if;
end
$$;
