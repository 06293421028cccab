"""What a database consists of, line by line, so that two databases can be compared.

Chunks are left out: they come with the data. So is what a job knows of its runs, and whether it is scheduled: tests
pause the jobs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import psycopg

Connection = psycopg.Connection[tuple[object, ...]]
Catalogue = Counter[str]

# Relations of ours, and those that TimescaleDB makes for them. What belongs to an extension is not ours.
_OWN = r"""
with own as (
    select c.* from pg_class as c join pg_namespace as n on n.oid = relnamespace
    where nspname in ('public', '_timescaledb_internal') and relkind not in ('i', 'I', 't')
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
    and relname !~ '^(_hyper|compress_hyper)_\d+_\d+_chunk'
)
"""
_OF_RELATIONS = {
    "relation": """
        select own.oid::regclass, relkind, relpersistence, relowner::regrole, reloptions, relrowsecurity, amname,
            case when relkind in ('v', 'm') then pg_get_viewdef(own.oid) end
        from own left join pg_am on pg_am.oid = relam
    """,
    "column": """
        select attrelid::regclass, row_number() over (partition by attrelid order by attnum), attname,
            format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attcollation::regcollation,
            attstorage, attcompression, attstattarget, pg_get_expr(adbin, adrelid)
        from own join pg_attribute on attrelid = own.oid
        left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attnum > 0 and not attisdropped and relkind <> 'S'
    """,
    "index": """
        select pg_get_indexdef(indexrelid), indisvalid, indisprimary, indisclustered, i.reloptions
        from own join pg_index on indrelid = own.oid join pg_class as i on i.oid = indexrelid
    """,
    "constraint": """
        select conrelid::regclass, conname, pg_get_constraintdef(c.oid), convalidated
        from own join pg_constraint as c on conrelid = own.oid
    """,
    "trigger": """
        select pg_get_triggerdef(t.oid), tgenabled from own join pg_trigger as t on tgrelid = own.oid
        where not tgisinternal
    """,
    "sequence": """
        select seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle,
            refobjid::regclass, refobjsubid, deptype
        from own join pg_sequence on seqrelid = own.oid
        left join pg_depend on classid = 'pg_class'::regclass and objid = own.oid and deptype in ('a', 'i')
    """,
    "grant on relation": """
        select own.oid::regclass, granted::text from own, unnest(
            coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
        ) as granted
    """,
    "grant on column": """
        select attrelid::regclass, attname, attacl from own join pg_attribute on attrelid = own.oid
        where attacl is not null
    """,
}
_NOT_OF_EXTENSION = "not exists (select from pg_depend where objid = p.oid and deptype = 'e')"
_OTHERS = {
    # The whole text, so its language, volatility and settings too.
    "routine": f"""
        select oid::regprocedure, prokind, proowner::regrole, md5(pg_get_functiondef(oid)) from pg_proc as p
        where pronamespace = 'public'::regnamespace and prokind <> 'a' and {_NOT_OF_EXTENSION}
    """,
    "grant on routine": f"""
        select oid::regprocedure, granted::text
        from pg_proc as p, unnest(coalesce(proacl, acldefault('f', proowner))) as granted
        where pronamespace = 'public'::regnamespace and {_NOT_OF_EXTENSION}
    """,
    "type": """
        select oid::regtype, typtype, typbasetype::regtype, typnotnull, typdefault,
            (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = p.oid)
        from pg_type as p where typnamespace = 'public'::regnamespace and typtype not in ('b', 'c')
    """,
    "grant on schema": """
        select nspname, granted::text from pg_namespace, unnest(nspacl) as granted where nspname = 'public'
    """,
    "grant by default": """
        select defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, granted::text
        from pg_default_acl, unnest(defaclacl) as granted
    """,
    "comment": """
        select identity, description from pg_description, pg_identify_object(classoid, objoid, objsubid) as object
        where (object.schema = 'public' or identity like 'public.%') and not exists (
            select from pg_depend as d
            where d.classid = classoid and d.objid = objoid and deptype = 'e'
        )
    """,
    "extension": "select extname, extversion from pg_extension",
    "aggregate": "select to_jsonb(a) from timescaledb_information.continuous_aggregates as a",
    "hypertable": "select to_jsonb(h) - 'num_chunks' from timescaledb_information.hypertables as h",
    "dimension": "select to_jsonb(d) from timescaledb_information.dimensions as d",
    "columnstore": "select to_jsonb(s) from timescaledb_information.hypertable_columnstore_settings as s",
    # hypertable_name says what the ids in the configuration mean.
    "job": """
        select to_jsonb(j) - '{job_id,application_name,config,scheduled,next_start,initial_start}'::text[],
            config - 'mat_hypertable_id'
        from timescaledb_information.jobs as j where job_id >= 1000
    """,
    "migration": "select version, name, sha256 from schema_migration",
    "level": "select to_jsonb(l) from aggregate_level as l",
}
# TimescaleDB numbers what it makes by the id of a hypertable.
_NAMES = """
with recursive named (id, name) as (
    select h.id, coalesce(user_view_name, table_name)
    from _timescaledb_catalog.hypertable as h
    left join _timescaledb_catalog.continuous_agg on mat_hypertable_id = h.id
)
select id, name from named
union all
select compressed_hypertable_id, name from named join _timescaledb_catalog.hypertable using (id)
where compressed_hypertable_id is not null
"""
_NUMBERED = re.compile(
    r"(_materialized_hypertable_|_compressed_hypertable_|_partial_view_|_direct_view_|invalidation_trigger\(')(\d+)"
)

_CHUNKS_THAT_DIFFER = """
with indexed as (
    select indrelid, array_agg(definition order by definition) as definitions
    from (select indrelid, regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING', '') from pg_index)
        as found (indrelid, definition)
    group by 1
)
select inhrelid::regclass::text, chunk.definitions, whole.definitions from pg_inherits
join timescaledb_information.chunks on format('%I.%I', chunk_schema, chunk_name)::regclass = inhrelid
left join indexed as chunk on chunk.indrelid = inhrelid
left join indexed as whole on whole.indrelid = inhparent
where chunk.definitions is distinct from whole.definitions
"""


def catalogue(connection: Connection) -> Catalogue:
    """One line for each object and each property of one."""
    names = {str(number): str(name) for number, name in connection.execute(_NAMES).fetchall()}
    queries = {section: _OWN + query for section, query in _OF_RELATIONS.items()} | _OTHERS
    lines = Catalogue()
    for section, query in queries.items():
        rows = connection.execute(query.encode()).fetchall()
        lines.update(f"{section}: {_line(row, names)}" for row in rows)
    return lines


def _line(row: tuple[object, ...], names: Mapping[str, str]) -> str:
    text = " | ".join(str(value) for value in row)
    return _NUMBERED.sub(lambda match: f"{match[1]}<{names[match[2]]}>", text)


def differences(found: Catalogue, expected: Catalogue) -> list[str]:
    """Lines that only one of two has: with "+" if it is the first, "-" if it is the other."""
    more, less = found - expected, expected - found
    return sorted([f"+ {line}" for line in more.elements()] + [f"- {line}" for line in less.elements()])


def chunks_without_an_index(connection: Connection) -> list[tuple[object, ...]]:
    """Chunks that do not have exactly the indexes of their hypertable."""
    return connection.execute(_CHUNKS_THAT_DIFFER).fetchall()
