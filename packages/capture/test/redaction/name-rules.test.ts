import fc from 'fast-check';
import { createNameRules } from '../../src/redaction/name-rules';
import { splitWords } from '../../src/redaction/split-words';

const words = (text: string): string[] => text.trim().split(/\s+/);

const SECRET = words(`
  password PASSWORD Password passwd passphrase pwd pass pw userPassword user_password user.password new-password
  password2 password_confirmation passwordHash dbpassword DB_PASSWORD PassWord userPASSword smtp_pass
  secret clientSecret client_secret CLIENT-SECRET clientsecret app_secret secretKey secret_access_key secrets
  token access_token accessToken accesstoken ACCESS_TOKEN refresh-token idToken _token authenticity_token
  csrf_token csrfToken _csrf xsrf X-XSRF-TOKEN csrfmiddlewaretoken __RequestVerificationToken sessionToken tokens
  apikey api_key apiKey APIKEY API-Key x-api-key X-Api-Key APIkey my_api_key_2 apiKeys
  privateKey private_key private-key accessKey access_key encryption_key signing_key masterKey subscription-key
  shared_access_key accountKey hmac_key app_key license_key
  AUTHORIZATION authorization proxy-authorization credential credentials aws_credentials jwt id_jwt bearer
  bearerToken auth session cookie cookies otp totp otp_code pin pinCode card_pin cvv cvc ccv cvv2 ssn
  socialSecurityNumber credit_card creditCard card_number cardNumber accountNumber bank_account_number iban
  security_code verification_code auth_code mfa_code 2fa_code recovery_codes backup_codes device_code
  connectionString connection_string DATABASE_URL dsn SAMLResponse client_assertion assertion code_verifier
  mnemonic seed_phrase JSESSIONID PHPSESSID users[password] user[token] passport
`);

const VISIBLE = words(`
  author authors_url authority authored tokenCount token_count max_tokens maxTokens prompt_tokens completion_tokens
  prompt_tokens_details completion_tokens_details reasoning_tokens token_type tokenType expires_in token_expires_at
  session_id sessionId session_url access_tokens_url keys_url keyboard key keys primary_key primaryKey public_key
  idempotency_key cache_key foreign_key node_id sort_key partition_key storage_key keyword keystone monkey
  passenger passing compass bypass pass_count passed pinned pins pin_count opinion spinning pinterest secretary
  secretariat cardinality cardboard discard assignee assign signed signature_verification signature_required code
  status_code error_code zip_code timecode country_code state sid account_sid account account_id
  next_token nextPageToken page_token continuation_token eos_token stop_tokens tokenizer tokenized
  password_changed_at passwordUpdatedAt password_policy password_reset_url secret_scanning secret_scanning_alerts
  secret_type secret_name api_key_id access_key_id private_key_path authenticated authenticatable authorized
  token_endpoint token_endpoint_auth_methods_supported id_token_signing_alg_values_supported author_association
  authorization_url credential_type cookie_consent cookie_policy http_status hash sha nonce salt cc bcc login user
  email username name description url html_url jwt_expires_at csrf_enabled passwordless description ssn_verified
  publishable_key consumer_key x y 1 _ - license license_name card card_type
`);

describe('name rules', () => {
  const names = createNameRules();

  it.each(SECRET)('hides what %s names', (name) => {
    expect(names.field(name)).not.toBe('visible');
  });

  it.each(VISIBLE)('leaves what %s names visible', (name) => {
    expect(names.field(name)).toBe('visible');
  });

  it('takes numbers under a plural for counts, and walks into an object under a word that may name one', () => {
    expect(names.field('tokens')).toBe('unless-count');
    expect(names.field('session')).toBe('unless-object');
    expect(names.field('token')).toBe('secret');
  });

  it('knows more names in query strings and in header fields', () => {
    expect(names.field('sig')).toBe('visible');
    for (const name of [
      'sig',
      'X-Amz-Signature',
      'X-Amz-Credential',
      'oauth_signature',
      'X-Goog-Signature',
    ]) {
      expect(names.parameter(name)).toBe('secret');
    }
    for (const name of [
      'X-Auth-Type',
      'x-auth-request-email',
      'X-Session-Id',
      'Cookie',
      'x-sso',
      'cf-access-jwt',
    ]) {
      expect(names.header(name)).toBe('secret');
    }
    for (const name of ['Accept', 'X-Request-Id', 'Authority', ':authority', 'WWW-Authenticate', 'ETag']) {
      expect(names.header(name)).toBe('visible');
    }
    expect(names.header('Access-Control-Allow-Credentials')).toBe('visible');
    expect(names.header('X-Recap-Session')).toBe('visible');
  });

  it('adds rules by the same words', () => {
    const own = createNameRules({ add: ['pin_code', 'Steuer-Nummer', 'contraseña', ''] });
    for (const name of [
      'pinCode',
      'PIN-CODE',
      'my_pincode_2',
      'steuernummer',
      'steuerNummer',
      'contraseña',
      'CONTRASEÑA',
    ]) {
      expect(own.field(name)).toBe('secret');
    }
    expect(own.field('pin_codes_url')).toBe('visible');
    expect(own.field('nummer')).toBe('visible');
  });

  it('removes rules by the same words', () => {
    const own = createNameRules({ remove: ['token', 'apiKey'] });
    for (const name of ['token', 'access_token', 'api_key', 'X-Api-Key'])
      expect(own.field(name)).toBe('visible');
    for (const name of ['secret', 'private_key', 'client_secret_token'])
      expect(own.field(name)).toBe('secret');
    expect(createNameRules({ remove: ['session_token'] }).field('access_token')).toBe('secret');
    expect(createNameRules({ remove: ['session_token'] }).field('my_session_token')).toBe('visible');
  });

  it('hides what is both added and removed', () => {
    expect(createNameRules({ add: ['token'], remove: ['token'] }).field('token')).toBe('secret');
  });

  it('changes nothing for empty lists', () => {
    const own = createNameRules({ add: [], remove: [] });
    for (const name of [...SECRET, ...VISIBLE]) expect(own.field(name)).toBe(names.field(name));
  });

  it('judges any name, at once and again the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
        expect(names.field(name)).toBe(createNameRules().field(name));
        expect(splitWords(name).join('')).toBe(splitWords(name).join('').toLowerCase());
      }),
    );
    for (const name of [
      '__proto__',
      'constructor',
      'toString',
      '',
      'p'.repeat(1e6),
      'aB'.repeat(5e5),
      '_'.repeat(1e6),
    ]) {
      expect(names.field(name)).toBe('visible');
    }
  });

  it('keeps verdicts right when more names come than are remembered', () => {
    for (let at = 0; at < 10_000; at += 1)
      expect(names.field(`thing_${String.fromCharCode(97 + (at % 26))}${at}x`)).toBe('visible');
    expect(names.field('password')).toBe('secret');
  });
});
