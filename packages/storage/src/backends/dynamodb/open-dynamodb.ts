import { loadDriver } from '../../load-driver';
import type { DynamoClient, DynamoModule } from './dynamo-client';
import type { DynamodbBackendOptions } from './dynamodb-options';

const CONNECT_TIMEOUT_MS = 10_000;

/** The client, and the commands that it is sent: the package keeps them apart. */
export async function openDynamodb(
  options: DynamodbBackendOptions,
  timeoutMs: number,
): Promise<{ readonly client: DynamoClient; readonly commands: DynamoModule }> {
  const { client, region, endpoint, credentials, maxConnections = 64 } = options;
  const commands = await loadDriver(
    '@aws-sdk/client-dynamodb',
    async () => require('@aws-sdk/client-dynamodb') as DynamoModule,
  );
  if (client !== undefined) return { client: client as DynamoClient, commands };
  const made = new commands.DynamoDBClient({
    ...((region ?? endpoint) !== undefined && { region: region ?? regionOf(endpoint!) }),
    ...(endpoint !== undefined && { endpoint }),
    // The SDK notes in them where they are from.
    ...(credentials !== undefined && { credentials: { ...credentials } }),
    // The SDK repeats whatever fails; above it is known which calls may be made twice.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: maxConnections },
      httpsAgent: { keepAlive: true, maxSockets: maxConnections },
      // Waiting for a connection is what callers at once are meant to do.
      socketAcquisitionWarningTimeout: timeoutMs,
    },
  });
  return { client: made, commands };
}

/** Signatures hold a region, and a server of AWS takes none but its own. */
function regionOf(endpoint: string): string {
  const own = /^dynamodb(?:-fips)?\.([a-z0-9-]+)\./.exec(new URL(endpoint).hostname)?.[1];
  return own ?? process.env['AWS_REGION'] ?? 'us-east-1';
}
