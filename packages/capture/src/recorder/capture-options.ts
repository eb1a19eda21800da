import { StorageError } from '@recap/storage';
import proxyaddr from 'proxy-addr';
import { z } from 'zod';
import { StorageType } from '../entries/storage-type';

/**
 * What the functions in the options are given: Express's `req` or Koa's `ctx`. Only the members that
 * are the same in every version are named; a program may declare its own, narrower type.
 */
export interface HostContext {
  readonly method?: string;
  readonly url?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Express: what an authentication middleware left. */
  readonly user?: { readonly id?: unknown };
  /** Koa: what an authentication middleware left. */
  readonly state?: { readonly user?: { readonly id?: unknown } };
}

/** Options that a recorder sets for all, a mounted middleware for its part, and a decorator for its method. */
export interface EntryOptions {
  /** Which sides to store; default `both`. */
  readonly storageType?: StorageType;
  /** Days until the entry expires, or `'forever'`; default 30. Fractions are fine. */
  readonly ttlDays?: number | 'forever';
  /** False stores bodies as they are; default true: from 1 KiB on, where it makes them a tenth smaller. */
  readonly compress?: boolean;
  /** Idle time after which the owner's next entry begins a new session; default 30. */
  readonly sessionTimeoutMinutes?: number;
}

/** A function of the context. Written as a method's type, so that a program's own may name a narrower context. */
export type ContextFunction<Context, Result> = {
  call(context: Context): Result;
}['call'];

/**
 * How exchanges are captured. The functions are synchronous and are called when the exchange ends, so
 * they see what authentication mounted after Recap has found; one that throws counts as absent and is
 * told to `onError`.
 */
export interface CaptureOptions<Context = HostContext> extends EntryOptions {
  /** Whom the entry belongs to; default `req.user?.id`, `ctx.state.user?.id`, else `anonymous`. */
  readonly owner?: ContextFunction<Context, string | number | undefined | null>;
  /** Cuts an owner's sessions apart, by conversation or device say. */
  readonly sessionGroup?: ContextFunction<Context, string | undefined | null>;
  /** Added to the entry: plain data, or a function of the context. Searchable. */
  readonly metadata?:
    | Readonly<Record<string, unknown>>
    | ContextFunction<Context, Readonly<Record<string, unknown>> | undefined>;
  /** Only paths that match one of these: globs (`/api/**`, in any case) or expressions, on the path without query. */
  readonly include?: readonly (string | RegExp)[];
  /** Not paths that match one of these; wins over `include`. */
  readonly exclude?: readonly (string | RegExp)[];
  /** Share of exchanges to record, 0 to 1; default 1. Failed ones are recorded all the same. */
  readonly sample?: number;
  /** True leaves this exchange out; asked when it ends. */
  readonly skip?: ContextFunction<Context, boolean>;
  /** Answers with `X-Recap-Session`, and lets a client continue a session of its own by sending it; default false. */
  readonly sessionHeader?: boolean;
  /** Addresses of proxies whose `X-Forwarded-For` is believed, as `proxy-addr` takes them (`loopback`, `10.0.0.0/8`); default none. */
  readonly trustedProxies?: string | readonly string[];
  /** Bytes kept of each body; default 262,144 (256 KiB), at most 8 MiB. */
  readonly maxBodyBytes?: number;
  /** Binary or multipart types whose bodies are stored after all, such as `image/*`. They are not redacted. */
  readonly contentTypes?: readonly string[];
}

const callback = z.custom<(context: never) => unknown>((value) => typeof value === 'function', {
  message: 'Expected a function',
});
const pathPatterns = z.array(z.union([z.string().min(1), z.instanceof(RegExp)]));

function isAddressList(proxies: string | string[]): boolean {
  try {
    proxyaddr.compile(proxies);
    return true;
  } catch {
    return false;
  }
}

export const entryOptionShape = {
  storageType: z.enum(Object.values(StorageType)).optional(),
  ttlDays: z.union([z.number().positive().max(36_500), z.literal('forever')]).optional(),
  compress: z.boolean().optional(),
  sessionTimeoutMinutes: z.number().positive().max(100_000).optional(),
};

export const captureOptionShape = {
  ...entryOptionShape,
  owner: callback.optional(),
  sessionGroup: callback.optional(),
  metadata: z.union([z.record(z.string(), z.unknown()), callback]).optional(),
  include: pathPatterns.optional(),
  exclude: pathPatterns.optional(),
  sample: z.number().min(0).max(1).optional(),
  skip: callback.optional(),
  sessionHeader: z.boolean().optional(),
  trustedProxies: z
    .union([z.string(), z.array(z.string())])
    .refine(isAddressList, 'Expected addresses, ranges or names such as "loopback"')
    .optional(),
  maxBodyBytes: z
    .int()
    .min(0)
    .max(8 * 1024 * 1024)
    .optional(),
  contentTypes: z.array(z.string().min(1)).optional(),
};

/**
 * Checks options that a program passed.
 *
 * @throws {StorageError} `CONFIG_INVALID`, naming every wrong option and what it has to be.
 */
export function checkOptions(schema: z.ZodType, options: unknown, caller: string): void {
  const result = schema.safeParse(options);
  if (result.success) return;
  const wrong = result.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'options'}: ${message}`,
  );
  throw new StorageError('CONFIG_INVALID', `${caller}: wrong options.\n${wrong.join('\n')}`);
}
