-- Who may see and do what: accounts, sessions, tokens, shared views, and what was done.
-- Secrets are kept as SHA-256 digests only, passwords as argon2 hashes.

create table account (
    id              bigint generated always as identity primary key,
    name            text not null,
    role            text not null,
    password_hash   text,
    created_at      timestamptz not null default clock_timestamp(),
    disabled_at     timestamptz,
    last_sign_in_at timestamptz,
    failures        integer not null default 0,
    locked_until    timestamptz,
    constraint account_role_check check (role in ('viewer', 'analyst', 'administrator')),
    constraint account_name_check check (name ~ '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$')
);
create unique index account_name_idx on account (lower(name));
comment on table account is 'People who sign in. An account without a password waits for its one-time link to be used.';
comment on column account.failures is 'Wrong passwords in a row.';

create table session (
    digest     bytea primary key,
    account_id bigint not null references account (id) on delete cascade,
    csrf       text not null,
    address    text not null,
    created_at timestamptz not null default clock_timestamp(),
    seen_at    timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index session_account_id_idx on session (account_id);

create table invitation (
    digest     bytea primary key,
    account_id bigint references account (id) on delete cascade,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
comment on table invitation is 'One-time links to choose a password. Without an account: to make the first administrator.';

create table access_token (
    id           bigint generated always as identity primary key,
    name         text not null,
    scope        text not null,
    hint         text not null,
    digest       bytea not null unique,
    created_by   text not null,
    created_at   timestamptz not null default clock_timestamp(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    constraint access_token_scope_check check (scope in ('ingest', 'read', 'analyse'))
);
comment on table access_token is 'Tokens of programs. Rotating makes a second one of the same name; the first ends later.';
comment on column access_token.hint is 'The first characters, to tell tokens apart.';

create table shared_view (
    id           bigint generated always as identity primary key,
    digest       bytea not null unique,
    name         text not null,
    address      text not null,
    pinned       jsonb not null default '{}',
    created_by   text not null,
    created_at   timestamptz not null default clock_timestamp(),
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
comment on table shared_view is 'Links that show some pages to whoever has them, without an account.';
comment on column shared_view.pinned is 'Filters that the viewer cannot take away.';

create table audit (
    id      bigint generated always as identity primary key,
    at      timestamptz not null default clock_timestamp(),
    who     text not null,
    address text not null,
    action  text not null,
    target  text,
    detail  jsonb not null default '{}'
);
create index audit_at_idx on audit (at desc, id desc);
comment on table audit is 'Sign-ins, changes of accounts and tokens, exports, AI calls, and who saw raw refused records.';

-- New tables are readable by default; these are nobody's business who only reads figures.
do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader') then
        revoke all on account, session, invitation, access_token, shared_view, audit from accessboard_reader;
    end if;
end
$$;
