"""Judge the migrations since the first release: none may stop a portal that runs, or the release that still runs beside.

`python -m scripts.migrations` judges them; `python -m scripts.migrations --release 0.2.0` writes down what a release has.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.children import ROOT
from scripts.postgres import temporary_postgres
from tests.environment import DEFAULTS

if TYPE_CHECKING:
    from django.db.migrations.migration import Migration
    from django.db.migrations.state import ProjectState

# The last migration of each app in each release, the newest last. What the first one has is history, and not judged.
RELEASED = ROOT / "scripts" / "released.toml"
OURS = ("accounts", "competition_portal", "photos", "plans", "profiles", "registrations")
OLDEST_POSTGRES = "15"  # docs/operations

# What squawk says that is not ours: taste, what `migrate` itself sees to, and what is judged better below.
LEFT_OUT = """
adding-not-nullable-field ban-char-field ban-drop-constraint ban-drop-column ban-drop-not-null ban-drop-table prefer-bigint-over-int prefer-bigint-over-smallint
prefer-identity prefer-robust-stmts prefer-text-field prefer-timestamptz renaming-column renaming-table
require-lock-timeout require-statement-timeout transaction-nesting
""".split()
CURES = {
    "adding-field-with-default": "默认值要是常数（db_default），会变的默认值会重写整张表",
    "adding-foreign-key-constraint": "用 accounts.online.AddForeignKeyOnline",
    "adding-required-field": "新的一列要可以为空，或有 db_default",
    "ban-concurrent-index-creation-in-transaction": "迁移要写 atomic = False",
    "ban-drop-default": "上一版本的程序不写这一列：要有 db_default，不能只有 default",
    "changing-column-type": "改类型会重写整张表：新加一列，分批抄写，下一版本再换",
    "constraint-missing-not-valid": "用 accounts.online.AddConstraintOnline",
    "disallowed-unique-constraint": "用 accounts.online.AddConstraintOnline",
    "require-concurrent-index-creation": "用 accounts.online.AddIndexOnline，迁移要写 atomic = False",
    "require-concurrent-index-deletion": "用 accounts.online.RemoveIndexOnline，迁移要写 atomic = False",
}
DROPPED = re.compile(
    r'ALTER TABLE (?:IF EXISTS )?"?(?P<of>\w+)"? DROP COLUMN (?:IF EXISTS )?"?(?P<column>\w+)"?'
    r'|DROP TABLE (?:IF EXISTS )?"?(?P<table>\w+)"?',
    re.IGNORECASE,
)
CREATED = re.compile(r'CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?', re.IGNORECASE)
PLAIN: list[tuple[str, str, str]] = [
    (r"(WITH\b.*)?(UPDATE|DELETE|INSERT|MERGE)\b", "data-in-one-go", "改数据用 accounts.online.in_batches，分批进行"),
    (r".*\bRENAME\b", "renaming", "上一版本的程序还用旧名字：新加一个，两个版本以后再删旧的"),
    (r".*\bSET NOT NULL\b", "set-not-null", "要查遍整张表并锁住它：用 AddConstraintOnline 加 CHECK（… IS NOT NULL）"),
    (r"(TRUNCATE|LOCK|CLUSTER|REINDEX|VACUUM)\b", "locks-the-table", "会锁住整张表，不能写在迁移里"),
]
WIDER = re.compile(r'ALTER TABLE "(\w+)" ALTER COLUMN "(\w+)" TYPE (?:varchar\((\d+)\)|text\b|varchar\b(?!\())')


def releases() -> list[dict[str, Any]]:
    return tomllib.loads(RELEASED.read_text()).get("release", [])


def ancestors(loader: Any, release: dict[str, Any]) -> set[tuple[str, str]]:
    """All migrations that the release had."""
    return {key for app, name in release["migrations"].items() for key in loader.graph.forwards_plan((app, name))}


# One migration --------------------------------------------------------------------------------------------------------


def judge(migration: "Migration", before: "ProjectState", released: "ProjectState", connection: Any) -> Iterator[str]:
    """A line for each thing that would hurt. `before` is the state in front of it, `released` that of the release that
    runs while it is applied. The connection is one to a PostgreSQL whose tables are as `before` says."""
    after = before.clone()
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        after = migration.apply(after, editor, collect_sql=True)
    statements = [line for line in editor.collected_sql if not line.startswith("--")]
    name = f"{migration.app_label}.{migration.name}"
    found = [*of_operations(migration), *of_statements(statements, released), *of_squawk(statements, migration, before)]
    found += of_required_leftovers(before, after, statements)
    yield from (f"{name}：{rule}：{cure}" for rule, cure in dict.fromkeys(found))


def operations(migration: "Migration") -> Iterator[Any]:
    from django.db.migrations import SeparateDatabaseAndState

    for operation in migration.operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from operation.database_operations
        else:
            yield operation


def of_operations(migration: "Migration") -> Iterator[tuple[str, str]]:
    from django.contrib.postgres.operations import NotInTransactionMixin
    from django.db.migrations import RunPython

    for operation in operations(migration):
        if isinstance(operation, RunPython):
            if not getattr(operation.code, "bounded", False):
                yield "data-in-one-go", "RunPython 要用 accounts.online.in_batches，分批进行"
            elif migration.atomic and not getattr(operation.code, "brief", False):
                yield "one-transaction", "分批改数据的迁移要写 atomic = False，否则还是一个事务"
        elif not migration.atomic and not isinstance(operation, NotInTransactionMixin):
            yield "half-done", f"{type(operation).__name__} 中断后不能重来，不要放在 atomic = False 的迁移里"


def of_statements(statements: Sequence[str], released: "ProjectState") -> Iterator[tuple[str, str]]:
    """Removing is the second half of a change of two releases: the one that runs beside must no longer know the thing."""
    made = {table.lower() for line in statements for table in CREATED.findall(line)}
    columns = columns_of(released)
    for line in statements:
        statement = " ".join(line.split())
        for pattern, rule, cure in PLAIN:
            if re.match(pattern, statement, re.IGNORECASE) and not any(f'"{table}"' in statement for table in made):
                yield rule, cure
        for found in DROPPED.finditer(statement):
            table = (found["table"] or found["of"]).lower()
            used = columns.get(table, set())
            if used and (found["table"] or found["column"].lower() in used):
                yield (
                    "still-used",
                    f"上一版本的程序还在用 {found.group().strip()}：这一版本先从模型里去掉，下一版本再删",
                )
        if re.search(r"\bDROP (COLUMN|TABLE)\b", statement, re.IGNORECASE) and not DROPPED.search(statement):
            yield "unreadable", "看不出删的是什么，请写成一条 ALTER TABLE … DROP COLUMN … 或 DROP TABLE …"


def columns_of(state: "ProjectState") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for model in state.apps.get_models(include_auto_created=True):
        found.setdefault(model._meta.db_table.lower(), set()).update(
            field.column.lower() for field in model._meta.local_fields if field.column
        )
    return found


def of_required_leftovers(
    before: "ProjectState", after: "ProjectState", statements: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """A column that the models no longer know, but the table still has, must do without a value."""
    dropped = [(found["of"], found["column"]) for line in statements for found in DROPPED.finditer(line)]
    later = columns_of(after)
    for model in before.apps.get_models():
        table = model._meta.db_table
        for field in model._meta.local_fields:
            kept = table.lower() in later and str(field.column).lower() not in later[table.lower()]
            if kept and (table, field.column) not in dropped and not field.null and not field.has_db_default():
                yield (
                    "required-leftover",
                    f"{table}.{field.column} 留在表里，新程序不写它：先改成可以为空，或给 db_default",
                )


def of_squawk(statements: Sequence[str], migration: "Migration", before: "ProjectState") -> Iterator[tuple[str, str]]:
    if not statements:
        return
    allowed = {line for line in statements if widens(line, before)}
    text = "\n".join(" ".join(line.split()) for line in statements if line not in allowed)
    command = [str(Path(sys.executable).parent / "squawk"), "--reporter", "json", "--pg-version", OLDEST_POSTGRES]
    command += ["--exclude", ",".join(LEFT_OUT), *(["--assume-in-transaction"] if migration.atomic else [])]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{migration.name}.sql"
        file.write_text(f"{text}\n")
        answer = subprocess.run([*command, file], cwd=folder, capture_output=True, text=True)
    if answer.returncode not in {0, 1} or not answer.stdout.strip().startswith("["):
        raise SystemExit(f"squawk 没有给出结果：{answer.stderr}")
    for finding in json.loads(answer.stdout):
        yield finding["rule_name"], CURES.get(finding["rule_name"], finding["message"])


def widens(statement: str, before: "ProjectState") -> bool:
    """A longer varchar, or none with a limit: PostgreSQL only notes it down."""
    found = WIDER.match(statement)
    for model in before.apps.get_models() if found else ():
        if found and model._meta.db_table == found[1]:
            lengths = [field.max_length for field in model._meta.local_fields if field.column == found[2]]
            return bool(lengths and lengths[0]) and (not found[3] or int(found[3]) >= (lengths[0] or 0))
    return False


# All of them ----------------------------------------------------------------------------------------------------------


def unreleased(loader: Any) -> set[tuple[str, str]]:
    """Ours that the first release did not have."""
    return {key for key in loader.graph.nodes if key[0] in OURS} - ancestors(loader, releases()[0])


def state_at(loader: Any, keys: set[tuple[str, str]]) -> "ProjectState":
    """Of what is in `keys` and, of apps that are not ours, of everything: their changes are their own."""
    others = {key for key in loader.graph.nodes if key[0] not in OURS}
    return loader.project_state(list(keys | others), at_end=True)


def judge_all(connection: Any) -> list[str]:
    """Apply all of them to an empty database, one after the other, and judge each in front of it."""
    from django.db.migrations.executor import MigrationExecutor

    executor: Any = MigrationExecutor(connection)
    loader = executor.loader
    known = [ancestors(loader, release) for release in releases()]
    state = executor._create_project_state()
    complaints: list[str] = []
    for migration, _ in executor.migration_plan(loader.graph.leaf_nodes()):
        key = (migration.app_label, migration.name)
        if key in unreleased(loader):
            beside = next((place for place, keys in enumerate(known) if key in keys), len(known)) - 1
            complaints += judge(migration, state.clone(), state_at(loader, known[beside]), connection)
        state = executor.apply_migration(state, migration)
    return complaints


def write_down(name: str, loader: Any) -> None:
    """The release is what there is now; one of the same name is written anew."""
    kept = [release for release in (releases() if RELEASED.exists() else []) if release["name"] != name]
    kept.append({"name": name, "migrations": {app: key for app, key in loader.graph.leaf_nodes() if app in OURS}})
    lines = [line for line in RELEASED.read_text().splitlines() if line.startswith("#")] if RELEASED.exists() else []
    for release in kept:
        lines += ["", "[[release]]", f'name = "{release["name"]}"', "[release.migrations]"]
        lines += [f'{app} = "{last}"' for app, last in sorted(release["migrations"].items())]
    RELEASED.write_text("\n".join(lines).strip() + "\n")


def main(arguments: Sequence[str]) -> int:
    import django

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-migrations-"))
        os.environ.update({**DEFAULTS, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "competition_portal.settings"})
        os.environ["DATABASE_URL"] = stack.enter_context(temporary_postgres())
        django.setup()
        from django.db import connection
        from django.db.migrations.loader import MigrationLoader

        loader = MigrationLoader(None)
        if arguments[:1] == ["--release"] and len(arguments) == 2:
            write_down(arguments[1], loader)
            print(f"已写入 {RELEASED.relative_to(ROOT)}。")
            return 0
        if arguments:
            raise SystemExit("用法：python -m scripts.migrations [--release 版本号]")
        number = len(unreleased(loader))
        complaints = judge_all(connection) if number else []
        connection.close()
    print("\n".join(complaints) if complaints else f"首个版本以后的迁移 {number} 项，都可以在系统运行时执行。")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
