import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';

const ALLOWED = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Makes this process unable to reach anything but this machine: a peer that sends what it records to a service is
 * measured against a sink, and whatever else it asks for fails before a name is looked up.
 */
export function allowLoopbackOnly() {
  const refuse = (what) => {
    process.stderr.write(`refused a connection to ${what}\n`);
    return Object.assign(new Error(`Only this machine may be reached, not ${what}`), {
      code: 'ECONNREFUSED',
    });
  };
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : args;
    const host = typeof options === 'object' ? (options.host ?? options.path ?? 'localhost') : 'localhost';
    const named = typeof args[1] === 'string' ? args[1] : host;
    if (ALLOWED.has(named)) return connect.apply(this, args);
    const error = refuse(named);
    // Once whoever made the socket listens for its errors.
    setImmediate(() => this.destroy(error));
    return this;
  };
  const { lookup } = dns;
  dns.lookup = (name, ...rest) => (ALLOWED.has(name) ? lookup(name, ...rest) : rest.at(-1)(refuse(name)));
  dgram.createSocket = () => {
    throw refuse('UDP');
  };
}
