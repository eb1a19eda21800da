/*
 * THE list of names, in one place. Each is written as its words; `api key` is found in `apiKey`,
 * `X-Api-Key`, `APIKEY` and `my_api_key_2`, but never inside another word (`secretary`).
 * A plural (`tokens`, `apiKeys`) is found as well; numbers under a plural are counts and stay.
 */

/** Found anywhere in a name, unless a harmless word such as `count` or `url` ends the name. */
export const SECRET_NAMES: readonly string[] = [
  // Passwords and what stands for one.
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'pass word',
  'pass phrase',
  'pwd',
  'psk',
  ...['user', 'db', 'database', 'smtp', 'mail', 'admin', 'root', 'ftp', 'ssh', 'proxy', 'redis', 'mysql'].map(
    (owner) => `${owner} pass`,
  ),
  ...['pg', 'postgres', 'auth', 'login', 'new', 'old', 'current', 'wifi', 'ldap', 'http'].map(
    (owner) => `${owner} pass`,
  ),
  ...['user', 'db', 'auth', 'admin', 'root', 'login'].map((owner) => `${owner} pw`),
  'pin code',
  'pin number',
  ...['card', 'user', 'account', 'atm', 'security', 'login'].map((owner) => `${owner} pin`),

  // Secrets, tokens, credentials.
  'secret',
  'secret id',
  'token',
  'credential',
  'jwt',
  'bearer',
  'authorization',
  'csrf',
  'xsrf',
  'csrfmiddlewaretoken',
  'saml response',
  'saml request',
  'saml assertion',
  'client assertion',
  'oauth signature',
  'oauth verifier',
  'code verifier',
  'set cookie',
  'phpsessid',
  'jsessionid',
  'sessid',

  // Keys: `key` by itself says nothing, so the word before it decides.
  ...['api', 'access', 'private', 'secret', 'encryption', 'encrypt', 'decryption', 'signing', 'master'].map(
    (kind) => `${kind} key`,
  ),
  ...['auth', 'authentication', 'service', 'subscription', 'account', 'license', 'session'].map(
    (kind) => `${kind} key`,
  ),
  ...['shared', 'hmac', 'aes', 'symmetric', 'root', 'admin', 'app', 'application', 'server'].map(
    (kind) => `${kind} key`,
  ),
  ...['webhook', 'integration', 'write', 'recovery', 'functions', 'rapidapi', 'ssh private'].map(
    (kind) => `${kind} key`,
  ),

  // Codes that open something.
  'otp',
  'totp',
  'hotp',
  ...['security', 'verification', 'auth', 'authentication', 'authorization', 'access', 'mfa', '2fa'].map(
    (kind) => `${kind} code`,
  ),
  ...['factor', 'sms', 'login', 'activation', 'reset', 'device', 'recovery', 'backup'].map(
    (kind) => `${kind} code`,
  ),
  'one time code',
  'onetime code',
  'seed phrase',
  'recovery phrase',
  'secret phrase',
  'mnemonic',

  // Cards, accounts, persons.
  'credit card',
  'debit card',
  'card number',
  'card num',
  'card no',
  'cc number',
  'cc num',
  'cvv',
  'cvc',
  'ccv',
  'account number',
  'iban',
  'ssn',
  'social security',
  'national insurance',
  'passport number',

  // Where a password travels inside.
  'connection string',
  'database url',
  'mongo url',
  'redis url',
];

/** Secret only as the whole name (after a leading `x`). */
export const WHOLE_SECRET_NAMES: readonly string[] = [
  'pass',
  'pw',
  'pin',
  'dsn',
  'passport',
  'assertion',
  'jws',
  'jwe',
  'dpop',
];

/** Secret only as the whole name, and not when it holds an object, whose own names decide then. */
export const WHOLE_SECRET_VALUES: readonly string[] = ['auth', 'session', 'cookie', 'cookies'];

/** Besides, in query strings and forms: signed URLs and OAuth 1. */
export const SECRET_QUERY_NAMES: readonly string[] = ['signature', 'sig'];

/** Besides, in header fields. Here even a harmless last word does not help: `x-auth-*` is hidden. */
export const SECRET_HEADER_NAMES: readonly string[] = [
  'auth',
  'cookie',
  'session',
  'jwt',
  'sso',
  'saml',
  'signature',
  'client cert',
  'client principal',
  'sec websocket key',
];

/** Header fields that no rule hides: they name schemes, methods or Recap's own session. */
export const PUBLIC_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-request-headers',
  'proxy-authenticate',
  'www-authenticate',
  'x-recap-session',
]);

/** Sequences that hold a secret's word and are none: cursors, parts of a vocabulary, names of features. */
export const HARMLESS_NAMES: readonly string[] = [
  ...['next', 'page', 'previous', 'prev', 'continuation', 'sync', 'resume', 'cursor', 'idempotency'].map(
    (kind) => `${kind} token`,
  ),
  ...['request', 'eos', 'bos', 'pad', 'unk', 'sep', 'cls', 'mask', 'stop', 'special', 'first', 'last'].map(
    (kind) => `${kind} token`,
  ),
  'special tokens',
  'stop tokens',
  'secret scanning',
  'passwordless',
];

/** Words that make a name with `tokens` a count: `max_tokens`, `prompt_tokens_details`, `x-ratelimit-reset-tokens`. */
export const COUNTING_WORDS: ReadonlySet<string> = new Set(
  'completion count input limit max min num number output per prompt rate ratelimit reasoning total usage'.split(
    ' ',
  ),
);

/** Last words after a secret's name that say the value is about the secret: `token_type`, `password_changed_at`. */
export const HARMLESS_LAST_WORDS: ReadonlySet<string> = new Set(
  (
    'age alg algorithm algorithms arn at audience balance budget changed cost count counts created date decimals ' +
    'description disabled enabled endpoint endpoints expiration expire expired expires expiry field file format ' +
    'id ids in index issuer kind label len length level limit limits location method methods name names on ' +
    'owner path placeholder policies policy position price protected provider required rotated rotation scope ' +
    'scopes score size status strength supported symbol time timestamp ttl type types updated uri uris url ' +
    'urls usage used valid validity verified version'
  ).split(' '),
);

/** A single word ending so is secret as well: `userpassword`, `accesstoken`. */
export const SECRET_ENDINGS: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'privatekey',
  'secretkey',
];
