import { request } from 'node:http';

const questions = {
  recordings: [
    'What does a recording of an API tell me?',
    'How do I find the slow answers?',
    'And how do I find out why an answer was an error?',
    'What should I do with bodies that are large?',
    'How do I compare today with last week?',
    'Who should be able to read the recordings?',
  ],
  errors: ['Why did my order fail this morning?', 'Who else has seen this error?'],
};

/**
 * Sends what users of an API send, mistakes included, over real connections.
 *
 * @param {string} url of the program
 * @param {Record<string, string>} secrets what may not be found afterwards; login adds the tokens
 * @param {string} marker a harmless word, which has to be found
 * @returns {Promise<{ sent: number, surprises: string[], ann: string, bob: string }>} the number of requests, answers
 *   with another status than expected, and both users' tokens
 */
export async function driveTraffic(url, secrets, marker) {
  let sent = 0;
  const surprises = [];

  async function send(method, path, { token, body, raw, headers, expect = 200 } = {}) {
    sent += 1;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...((body || raw) && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...((body || raw) && { body: raw ?? JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== expect) surprises.push(`${method} ${path}: ${response.status}, not ${expect}`);
    return text.startsWith('{') ? JSON.parse(text) : text;
  }

  async function logIn(user) {
    const password = secrets[`${user}'s password`];
    const { access_token: token } = await send('POST', '/v1/login', { body: { user, password } });
    secrets[`${user}'s bearer token`] = token;
    return token;
  }

  async function chat(token, conversation, texts, last = {}) {
    const messages = [];
    for (const [index, content] of texts.entries()) {
      messages.push({ role: 'user', content });
      const isLast = index === texts.length - 1;
      const body = { conversation_id: conversation, messages, ...(isLast && last) };
      const answer = await send('POST', '/v1/ai/chat', { token, body });
      if (answer.message) messages.push(answer.message);
    }
  }

  const [ann, bob] = [await logIn('ann'), await logIn('bob')];
  await send('POST', '/v1/login', { body: { user: 'eve' }, expect: 400 });

  // Two users at the same time; ann pastes a key into her chat and a card number into a note.
  const key = secrets["a service's key in a chat"];
  await Promise.all([
    (async () => {
      await chat(ann, 'about-recordings', questions.recordings);
      await chat(ann, 'with-a-key', [`Why is ${key} refused?`, 'Shall I make a new one?'], { stream: true });
      const note = `${marker}, charge ${secrets['a card number in a note']}`;
      await send('POST', '/v1/orders/2001', {
        token: ann,
        body: { sku: 'teapot', quantity: 2, note },
        expect: 201,
      });
      await send('GET', '/v1/orders/2001', { token: ann });
    })(),
    (async () => {
      await chat(bob, 'about-errors', questions.errors);
      const card = { card_number: secrets['a card number in a form'], holder: 'Bob' };
      const order = { sku: 'kettle', quantity: 1, card };
      await send('POST', '/v1/orders/2002', { token: bob, body: order, expect: 201 });
      await send('POST', '/v1/orders/2003', { token: bob, body: { sku: 'cup', quantity: 0 }, expect: 422 });
      await send('POST', '/v1/orders/2004', { token: bob, body: { sku: 'moon', quantity: 1 }, expect: 500 });
    })(),
  ]);

  // Somebody without a name.
  const query = `api_key=${secrets['an API key in a query string']}&expand=items`;
  const cookie = `theme=dark; sid=${secrets['a session cookie']}`;
  await send('GET', `/v1/orders/1001?${query}`, { headers: { cookie } });
  await send('GET', '/v1/orders/9999', { expect: 404 });
  await send('GET', '/v1/no-such-route', { expect: 404 });
  await send('POST', '/v1/orders/3001', { raw: '{"sku": "teapot", "quant', expect: 400 });
  const body = {
    conversation_id: 'hung-up',
    stream: true,
    messages: [{ role: 'user', content: 'Tell me all.' }],
  };
  await hangUpAfterFirstBytes(`${url}/v1/ai/chat`, JSON.stringify(body));
  sent += 1;
  return { sent, surprises, ann, bob };
}

function hangUpAfterFirstBytes(url, body) {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } });
    call.on('response', (response) => {
      response.once('data', () => call.destroy());
      response.once('close', resolve);
      // What the hanging up itself causes.
      response.on('error', resolve);
    });
    call.on('error', reject);
    call.end(body);
  });
}
