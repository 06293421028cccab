-- Analyses and answers of a model: what was sent, what came back, what the check removed, and what it cost.

create table ai_analysis (
    id             bigint generated always as identity primary key,
    kind           text not null,
    token          text not null unique,
    created_at     timestamptz not null default clock_timestamp(),
    finished_at    timestamptz,
    viewer         text not null,
    language       text not null,
    state          text not null default 'running',
    source         text,
    reason         text,
    detail         text,
    start_at       timestamptz,
    end_at         timestamptz,
    minutes        double precision,
    filters        jsonb not null default '{}',
    fingerprint    text,
    question       text,
    thread         text,
    same_as        bigint references ai_analysis (id) on delete set null,
    rerun_of       bigint references ai_analysis (id) on delete set null,
    prompt_version text,
    model          text,
    tokens_in      integer not null default 0,
    tokens_out     integer not null default 0,
    cost_usd       numeric(14, 8),
    reserved_usd   numeric(14, 8) not null default 0,
    calls          integer not null default 0,
    latency_ms     double precision,
    cancelled      boolean not null default false,
    feedback       smallint,
    title          text,
    pack           jsonb,
    sent           jsonb,
    reply          jsonb,
    result         jsonb,
    constraint ai_analysis_kind_check check (kind in ('analysis', 'question', 'test')),
    constraint ai_analysis_state_check check (state in ('running', 'done', 'failed', 'cancelled', 'refused')),
    constraint ai_analysis_source_check check (source in ('model', 'unchanged', 'rules')),
    constraint ai_analysis_feedback_check check (feedback in (-1, 1))
);
create index ai_analysis_created_at_idx on ai_analysis (created_at desc, id desc);
create index ai_analysis_fingerprint_idx on ai_analysis (fingerprint, id desc) where source = 'model';
create index ai_analysis_thread_idx on ai_analysis (thread, id) where thread is not null;
comment on table ai_analysis is 'Every analysis and question, the newest last: what was sent, what came back, what it cost.';
comment on column ai_analysis.token is 'Made by whoever asks, so that he can take it back while it runs.';
comment on column ai_analysis.viewer is 'Who asked: the address of his machine.';
comment on column ai_analysis.source is 'Who gave the result; NULL where there is none.';
comment on column ai_analysis.reason is 'Why it is not the model''s: no_key, budget, timeout, ...';
comment on column ai_analysis.same_as is 'The analysis whose data were the same.';
comment on column ai_analysis.reserved_usd is 'The most that a call that runs may cost; 0 once it has ended.';
comment on column ai_analysis.cost_usd is 'NULL where the model has no price in the settings.';
comment on column ai_analysis.pack is 'The evidence: figures with their ids and queries.';
comment on column ai_analysis.sent is 'The messages of all calls, as they were sent.';
comment on column ai_analysis.reply is 'The texts that came back, whole.';
comment on column ai_analysis.result is 'What was shown: the checked result, with what the check removed.';

do $$
begin
    if exists (select from pg_roles where rolname = 'accessboard_reader') then
        grant select on ai_analysis to accessboard_reader;
    end if;
end
$$;
