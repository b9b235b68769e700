"""python echo.py ADDRESS PLAN: what `websockets` sees of echo-server, as a line of JSON."""

import asyncio
import json
import sys

try:
    import websockets
except ImportError as error:
    sys.exit(f"{error}; run: cargo xtask setup")

# How long anything is waited for.
PATIENCE = 10


def connect(url):
    # `websockets` itself waits longer for the server to close, so that a server that does not is noticed.
    return websockets.connect(url, proxy=None, max_size=None, close_timeout=2 * PATIENCE)


def whole(message):
    if "text" in message:
        return message["text"] * message["times"]
    return bytes(message["bytes"]) * message["times"]


async def in_time(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE)


async def echoes(url, messages):
    async with connect(url) as ws:
        for message in messages:
            sent = whole(message)
            await ws.send(sent)
            received = await in_time(ws.recv())
            is_text = isinstance(received, str)
            yield {
                "kind": "text" if is_text else "binary",
                "bytes": len(received.encode() if is_text else received),
                "same": received == sent,
            }


async def close(url, code, reason):
    ws = await in_time(connect(url))
    await in_time(ws.close(code, reason))
    return {"code": ws.close_code, "clean": ws.close_code != 1006}


async def main(url, plan):
    seen = {
        "echoes": [echo async for echo in echoes(url, plan["messages"])],
        "closes": [await close(url, close_["code"], close_["reason"]) for close_ in plan["closes"]],
        "pongs": [],
    }

    # A message in fragments, with a ping before each.
    ws = await in_time(connect(url))

    async def fragments():
        for payload, fragment in zip(plan["pings"], plan["fragments"], strict=True):
            # Done when a pong with the same payload has come.
            await in_time(await ws.ping(payload))
            seen["pongs"].append(payload)
            yield fragment

    await ws.send(fragments())
    seen["fragmented"] = await in_time(ws.recv())

    # Gone in the middle of a message, without a close frame, and back.
    async def half():
        yield plan["fragments"][0]
        ws.transport.abort()
        yield plan["fragments"][1]

    try:
        await ws.send(half())
    except websockets.ConnectionClosed:
        pass
    await in_time(ws.wait_closed())
    async with connect(url) as ws:
        await ws.send(plan["again"])
        seen["again"] = await in_time(ws.recv())

    print(json.dumps(seen))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
