"""The API on the people of this node: their accounts, for its operator; signing in, and what is one's own, for them."""

from collections.abc import Mapping
from typing import Any

from commonsnode import communities
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode.http.calls import Call
from commonsnode.http.documents import moment
from commonsnode.people import Account, Session
from commonsnode.people.accounts import to_file
from commonsnode.people.trusting import trust as trust_node
from commonsnode.people.trusting import withdraw as withdraw_from_node
from commonsnode.recovery_words import seed_of, words_of
from commonsnode_protocol.authority import MIRROR
from commonsnode_store.answers import CommunityInfo
from commonsnode_store.store import Store


async def sign_in(call: Call) -> Mapping[str, Any]:
    token, session = await call.node.people.sign_in(call.body["name"], call.body["passphrase"])
    call.node.log.info("signed-in", person=session.person.hex())
    return {"token": token, **_session(session)}


async def session(call: Call) -> Mapping[str, Any]:
    return _session(call.signed_in)


async def sign_out(call: Call) -> Mapping[str, Any]:
    call.node.people.sessions.end(call.signed_in)
    return _session(call.signed_in)


async def change_passphrase(call: Call) -> Mapping[str, Any]:
    await call.node.people.change_passphrase(call.signed_in, call.body["passphrase"], call.body["new"])
    call.node.log.info("passphrase-changed", person=call.signed_in.person.hex())
    return _session(call.signed_in)


async def trust(call: Call) -> Mapping[str, Any]:
    """Name the node for acks and pins in one community, or in all where the person has a role."""
    person, node, name = call.signed_in, call.node, call.body.get("community")

    def write(author: Author) -> dict[bytes, tuple[str | None, bytes]]:
        store = author.store
        every = [communities.resolve(store, name)] if name is not None else _where_member(store, person)
        if not every:
            raise Conflict("you are no member of a community here, so there is nothing to be done for you")
        return {info.id: (info.name, trust_node(author, info.id, node.seed, node.id)) for info in every}

    given = await call.sign(write)
    await node.people.keep_warrants(person, {community: warrant for community, (_, warrant) in given.items()})
    node.log.info("node-trusted", person=person.person.hex(), communities=len(given))
    return {
        "id": person.person.hex(),
        "node": node.id.hex(),
        "communities": [{"id": id_.hex(), "name": called} for id_, (called, _) in given.items()],
    }


async def withdraw_trust(call: Call) -> Mapping[str, Any]:
    """Name the node for nothing any more, in one community or in all."""
    person, node, name = call.signed_in, call.node, call.query.get("community")

    def write(author: Author) -> tuple[set[bytes], dict[bytes, str | None], list[str]]:
        store = author.store
        every = [communities.resolve(store, name)] if name is not None else store.communities()
        taken: dict[bytes, str | None] = {}
        problems: list[str] = []
        for info in every:
            try:
                if withdraw_from_node(author, info.id, node.id) is not None:
                    taken[info.id] = info.name
            except Conflict as error:
                problems.append(f"{info.name}: {error.detail}")
        return {info.id for info in every}, taken, problems

    asked, taken, problems = await call.sign(write)
    dropped = await node.people.drop_warrants(person, asked)
    if problems:
        raise Conflict(f"the node's key is still one of yours in {'; '.join(problems)}")
    if not taken and not dropped:
        raise Conflict("this node was not named to do anything for you there")
    node.log.info("node-trusted-no-more", person=person.person.hex(), communities=len(taken))
    return {
        "id": person.person.hex(),
        "node": node.id.hex(),
        "communities": [{"id": id_.hex(), "name": called} for id_, called in taken.items()],
    }


async def listed(call: Call) -> Mapping[str, Any]:
    accounts = list(call.node.people.accounts)

    def read(store: Store) -> list[dict[str, Any]]:
        found = [(id_, called, store.authority(id_).members) for id_, called in store.names().items()]
        return [
            {
                **_account(account),
                "communities": [
                    {"id": id_.hex(), "name": called, "role": members[account.id].role}
                    for id_, called, members in found
                    if account.id in members
                ],
            }
            for account in accounts
        ]

    return {"persons": await call.node.writer.read(read)}


async def add(call: Call) -> Mapping[str, Any]:
    account, seed = await call.node.people.add(call.body["name"], call.body["passphrase"])
    call.node.log.info("person-added", person=account.id.hex())
    return {**_account(account), "words": words_of(seed)}


async def lock(call: Call) -> Mapping[str, Any]:
    account = await call.node.people.lock(call.path["name"])
    call.node.log.info("person-locked", person=account.id.hex())
    return _account(account)


async def unlock(call: Call) -> Mapping[str, Any]:
    account = await call.node.people.unlock(call.path["name"])
    call.node.log.info("person-unlocked", person=account.id.hex())
    return _account(account)


async def words(call: Call) -> Mapping[str, Any]:
    name = call.node.people.accounts.named(call.path["name"]).name
    seed = await call.node.people.open(name, call.body["passphrase"])
    call.node.log.info("words-shown", person=call.node.people.accounts.named(name).id.hex())
    return {"words": words_of(seed)}


async def export(call: Call) -> Mapping[str, Any]:
    return to_file(call.node.people.accounts.named(call.path["name"]))


async def import_(call: Call) -> Mapping[str, Any]:
    """A person of another node: by the file that it exported, or by the words of the key."""
    body, people = call.body, call.node.people
    if ("file" in body) == ("words" in body):
        raise WrongField("file", "either this, or `words`")
    if "file" in body:
        account = await people.import_file(body["file"], body["passphrase"], body.get("name"))
    elif "name" not in body:
        raise WrongField("name", "with words a name is needed")
    else:
        account = await people.bring(body["name"], body["passphrase"], seed_of(body["words"]))
    call.node.log.info("person-imported", person=account.id.hex())
    return _account(account)


def _where_member(store: Store, person: Session) -> list[CommunityInfo]:
    found = []
    for info in store.communities():
        member = store.authority(info.id).members.get(person.person)
        if member is not None and member.role != MIRROR:
            found.append(info)
    return found


def _session(session: Session) -> dict[str, Any]:
    return {
        "person": session.person.hex(),
        "name": session.name,
        "expires": moment(session.expires_ms),
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id.hex(),
        "name": account.name,
        "locked": account.locked,
        "created": moment(account.created_ms),
    }
