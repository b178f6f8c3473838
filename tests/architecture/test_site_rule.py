"""Every query on a table that belongs to sites names the site, or says here why not."""

from __future__ import annotations

import ast
from pathlib import Path

import visavis.store.rows

FREE = {
    "SqlSiteRows.lock": "adding a site concerns them all",
    "SqlSiteRows.all": "the command line's list of the sites themselves",
    "SqlAgentRows._agent": "completes a query that names its site",
    "SqlAgentRows.by_email": "signing in: the e-mail address tells the site",
    "SqlCredentialRows.find": "a token's digest is unguessable and tells the site",
    "SqlCredentialRows.expire": "a token's digest is unguessable and tells the site",
    "SqlCredentialRows.use": "a token's digest is unguessable and tells the site",
    "SqlCredentialRows.delete": "a token's digest is unguessable and tells the site",
    "SqlCredentialRows.delete_expired": "what has expired is of no use to any site",
    "SqlCredentialRows.touch": "a token's digest is unguessable and tells the site",
    "SqlCredentialRows.unused_sessions": "the idle time-out holds for every site",
    "SqlCodeRows.find": "a code's digest is unguessable and tells the site",
    "SqlCodeRows.use": "a code's digest is unguessable and tells the site",
    "SqlCodeRows.delete_expired": "what has expired is of no use to any site",
    "SqlClientRows.find": "a client names itself before anybody is known, and tells the site",
    "SqlKeyRows.find": "a key's digest is unguessable and tells the site",
    "SqlKeyRows.delete_expired": "what has expired is of no use to any site",
    "SqlNodeRows.save": "a node serves every site",
    "SqlNodeRows.newest_archive_url": "a node serves every site",
    "SqlNodeRows.save_recorder": "a node serves every site",
    "SqlNodeRows.mark_alive": "a node serves every site",
    "SqlNodeRows.set_drained": "a node serves every site",
    "SqlNodeRows.is_drained": "a node serves every site",
    "SqlNodeRows.alive_at": "a node serves every site",
    "SqlRecordingRows.spool_nodes": "a node serves every site",
    "SqlRecordingRows.clock_offset": "a machine has one clock for every site",
    "SqlLibrarySearch._count": "runs a query that names its site",
    "SqlLibrarySearch._intersected": "runs queries that name their site",
    "SqlLibrarySearch._aggregated": "runs a query that names its site",
    "SqlLibrarySearch._is_one_of": "completes a query that names its site",
    "SqlLibrarySearch._by_trigrams": "finds candidates of every site; the query after it names one",
    "SqlMemberRows.beat": "a node serves every site",
    "SqlMemberRows._add": "a node serves every site",
    "SqlMemberRows.all": "a node serves every site",
    "SqlMemberRows.stop": "a node serves every site",
    "SqlMemberRows.delete_silent": "a node serves every site",
    "SqlJobRows.get": "a job concerns every site",
    "SqlJobRows.all": "a job concerns every site",
    "SqlJobRows._list": "a job concerns every site",
    "SqlJobRows.take": "a job concerns every site",
    "SqlJobRows.renew": "a job concerns every site",
    "SqlJobRows.give_back": "a job concerns every site",
    "SqlSiteOwnerRows.count_by_node": "a node owns sites of everybody",
    "SqlUploadRows._delete_parts": "the upload has its key, which the archive compares",
    "SqlUploadRows._held": "the upload has its key, which the archive compares",
    "SqlUploadRows.acquire": "the upload has its key, which the archive compares",
    "SqlUploadRows.allot_part": "the upload has its key, which the archive compares",
    "SqlUploadRows.commit": "the upload has its key, which the archive compares",
    "SqlUploadRows.delete": "the upload has its key, which the archive compares",
    "SqlUploadRows.find": "the upload has its key, which the archive compares",
    "SqlUploadRows.finish": "the upload has its key, which the archive compares",
    "SqlUploadRows.pieces": "the upload has its key, which the archive compares",
    "SqlUploadRows.release": "the upload has its key, which the archive compares",
    "SqlUploadRows.renew": "the upload has its key, which the archive compares",
    "SqlUploadRows.set_length": "the upload has its key, which the archive compares",
    "SqlUploadRows.set_multipart": "the upload has its key, which the archive compares",
    "SqlUploadRows.set_state": "the upload has its key, which the archive compares",
    "SqlUploadRows.add": "an archive takes uploads of every site",
    "SqlUploadRows.list_unchanged": "an archive takes uploads of every site",
    "SqlUploadRows.lock_creation": "an archive takes uploads of every site",
    "SqlUploadRows.release_all": "an archive takes uploads of every site",
    "SqlUploadRows.unfinished": "an archive takes uploads of every site",
    "SqlRecordingObjectRows.add_deletion": "an archive deletes objects of every site",
    "SqlRecordingObjectRows.end_deletion": "an archive deletes objects of every site",
    "SqlRecordingObjectRows.list_deletions": "an archive deletes objects of every site",
    "SqlUploadKeyRows.delete": "a key's digest is unguessable and tells the site",
    "SqlUploadKeyRows.find": "a key's digest is unguessable and tells the site",
    "SqlUploadKeyRows.save": "a key's digest is unguessable and tells the site",
    "SqlLiveCallRows.list_by_node": "start-up: a process restores the calls of all its sites",
    "SqlLiveCallRows.end_others": "start-up: the process that held every site's calls is dead",
}


def methods() -> dict[str, ast.FunctionDef]:
    sources = Path(visavis.store.rows.__file__).parent.glob("*.py")
    return {
        f"{node.name}.{item.name}": item
        for source in sources
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name not in {"Rows", "SqlTransaction"}
        for item in node.body
        if isinstance(item, ast.FunctionDef)
    }


def test_every_query_names_its_site() -> None:
    nameless = {name for name, body in methods().items() if "site_id" not in ast.unparse(body)}
    assert nameless <= FREE.keys()


def test_the_exceptions_are_still_needed() -> None:
    assert FREE.keys() <= methods().keys()
