import { BSON } from 'mongodb';
import { toInner, toOuter } from './bson-values.mjs';
import { ServerError } from './server-error.mjs';

/* @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */

const OP_REPLY = 1;
const OP_QUERY = 2_004;
const OP_MSG = 2_013;
const MORE_TO_COME = 2;
const CHECKSUM = 1;
/** A document, and what a command says around it. */
const MAX_COMMAND_BYTES = 16 * 2 ** 20 + 16 * 2 ** 10;

/** Answers what comes over one connection. */
export class Wire {
  #commands;
  #socket;
  #received = [];
  #length = 0;

  constructor(socket, commands) {
    this.#socket = socket;
    this.#commands = commands;
  }

  receive(piece) {
    this.#received.push(piece);
    this.#length += piece.length;
    while (this.#length >= 16) {
      if (this.#received[0].length < 16) this.#received = [Buffer.concat(this.#received)];
      const size = this.#received[0].readInt32LE(0);
      if (this.#length < size) return;
      const whole = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received);
      this.#received = whole.length > size ? [whole.subarray(size)] : [];
      this.#length = whole.length - size;
      this.#answer(whole.subarray(0, size));
    }
  }

  #answer(message) {
    const requestId = message.readInt32LE(4);
    const opCode = message.readInt32LE(12);
    if (opCode === OP_QUERY) {
      const nameEnd = message.indexOf(0, 20);
      const command = read(message.subarray(nameEnd + 9));
      const head = Buffer.alloc(20);
      head.writeInt32LE(8, 0);
      head.writeInt32LE(1, 16);
      this.#send(
        OP_REPLY,
        requestId,
        head,
        this.#run(() => ({ ...command, $db: 'admin' }), message.length),
      );
      return;
    }
    if (opCode !== OP_MSG) {
      this.#socket.destroy();
      return;
    }
    const flags = message.readUInt32LE(16);
    const end = message.length - (flags & CHECKSUM ? 4 : 0);
    const answer = this.#run(() => readSections(message.subarray(20, end)), message.length);
    if ((flags & MORE_TO_COME) === 0) this.#send(OP_MSG, requestId, Buffer.alloc(5), answer);
  }

  #run(toCommand, bytes) {
    try {
      return { ...this.#commands.run(toCommand(), bytes), ok: 1 };
    } catch (error) {
      const { code = 8, codeName = 'UnknownError', message: errmsg, more } = error;
      if (!(error instanceof ServerError)) console.error(error);
      return { ok: 0, errmsg, code, codeName, ...more };
    }
  }

  #send(opCode, responseTo, head, answer) {
    const body = BSON.serialize(toOuter(answer));
    const header = Buffer.alloc(16);
    header.writeInt32LE(16 + head.length + body.length, 0);
    header.writeInt32LE(responseTo, 8);
    header.writeInt32LE(opCode, 12);
    const whole = Buffer.concat([header, head, body]);
    const { delayMs } = this.#commands;
    if (delayMs > 0) setTimeout(() => this.#socket.write(whole), delayMs);
    else this.#socket.write(whole);
  }
}

/** A command, of which lists may come in sections of their own. */
function readSections(bytes) {
  const command = {};
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at];
    const size = bytes.readInt32LE(at + 1);
    const section = bytes.subarray(at + 1, at + 1 + size);
    if (kind === 0 && size > MAX_COMMAND_BYTES)
      throw new ServerError(10_334, 'BSONObjectTooLarge', `BSONObj size: ${size} is invalid.`);
    if (kind === 0) Object.assign(command, read(section));
    else {
      const nameEnd = section.indexOf(0, 4);
      command[section.toString('latin1', 4, nameEnd)] = readAll(section.subarray(nameEnd + 1));
    }
    at += 1 + size;
  }
  return command;
}

function readAll(bytes) {
  const documents = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readInt32LE(at);
    documents.push(read(bytes.subarray(at, at + size)));
    at += size;
  }
  return documents;
}

const read = (bytes) =>
  toInner(BSON.deserialize(bytes.subarray(0, bytes.readInt32LE(0)), { promoteBuffers: true }));
