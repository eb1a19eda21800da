/** Whether what is given for a server's host is a path: that of a Unix socket, or of the folder of one. */
export function isSocket(host: string | undefined): boolean {
  return host?.startsWith('/') === true;
}
