import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@recap/storage';
import onHeaders from 'on-headers';
import { faultPoint } from '../fault-point';
import { ownerOf, sessionClaim } from './build-exchange';
import { isIgnored } from './exchange-of-request';
import type { OpenExchange } from './open-exchange';
import type { SessionTable } from './session-table';

const HEADER = 'X-Recap-Session';

/**
 * Names the session in the answer, when it can be told by then. The one place where Recap adds to what
 * the host sends, and only with `sessionHeader: true`.
 */
export function announceSession(
  open: OpenExchange,
  request: IncomingMessage,
  response: ServerResponse,
  startedAt: number,
  sessions: SessionTable,
  clock: Clock,
  noteFailure: (error: unknown, where: string) => void,
): void {
  onHeaders(response, () => {
    try {
      // Recap's own routes answer too, and are in no session.
      if (isIgnored(request)) return;
      faultPoint('announce');
      const owner = ownerOf(open, noteFailure);
      const claim = sessionClaim(open, owner, noteFailure);
      const id = sessions.announce(claim, startedAt, clock.now());
      if (id === undefined) return;
      open.announcedSessionId = id;
      response.setHeader(HEADER, id);
    } catch (error) {
      noteFailure(error, 'sessionHeader');
    }
  });
}
