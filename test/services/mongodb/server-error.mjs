/** What a command, or one of several writes, fails with. */
export class ServerError extends Error {
  constructor(code, codeName, message, more = {}) {
    super(message);
    this.code = code;
    this.codeName = codeName;
    this.more = more;
  }
}

export const badValue = (message) => new ServerError(2, 'BadValue', message);
