-- A role for each server, with what it needs and no more. Users who log in are made members of one (docs/install.md);
-- the owner of the tables migrates and runs the jobs. Without the right to make roles there are none, and all work as the
-- owner, as before.

do $$
begin
    if not exists (select from pg_roles where rolname = 'accessboard_writer') then
        create role accessboard_writer nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'accessboard_dashboard') then
        create role accessboard_dashboard nologin;
    end if;
exception
    when insufficient_privilege then raise notice 'no roles for the servers: the user of the database may not create them';
    when duplicate_object or unique_violation then null;  -- another database of the server did at this moment
end
$$;

-- The ingest server stores, tidies up, and knows its tokens.
do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_writer') then
        grant usage on schema public to accessboard_writer;
        grant select, insert on access_log, service, route, touched_minute, ingest_refusal to accessboard_writer;
        grant select, insert, update, delete on ingest_batch, ingest_ledger, quarantine to accessboard_writer;
        grant select on log_horizon, schema_migration to accessboard_writer;
        grant usage on sequence ingest_batch_id_seq to accessboard_writer;
        grant select, update (last_used_at) on access_token to accessboard_writer;
        grant select, update (stored_at) on canary to accessboard_writer;
    end if;
end
$$;

-- The dashboard reads everything, and keeps what it found, told and was told.
do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_dashboard') then
        grant usage on schema public to accessboard_dashboard;
        grant select on all tables in schema public to accessboard_dashboard;
        alter default privileges in schema public grant select on tables to accessboard_dashboard;
        grant insert, update, delete on finding, watched, watch_queue, watch_state, alert, alert_delivery, ai_analysis,
            account, session, invitation, access_token, shared_view, audit, canary to accessboard_dashboard;
    end if;
end
$$;

-- While it reads figures it is accessboard_reader, who cannot even see accounts.
do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_dashboard')
        and exists (select from pg_roles where rolname = 'accessboard_reader') then
        grant accessboard_reader to accessboard_dashboard;
    end if;
exception
    when insufficient_privilege then
        raise notice 'accessboard_dashboard reads as itself: the role accessboard_reader belongs to another user';
end
$$;

-- Who made a role may give it to others and does not have it himself: so the owner could not read as accessboard_reader.
do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader')
        and not pg_has_role('accessboard_reader', 'set') then
        execute format('grant accessboard_reader to %I with inherit false, set true', current_user);
    end if;
exception
    when insufficient_privilege then null;  -- then the owner reads as itself
end
$$;
