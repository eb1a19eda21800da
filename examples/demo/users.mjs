import { randomBytes } from 'node:crypto';
import { Router } from 'express';

/** Who holds which token, as long as this program runs. */
const users = new Map();

/** Any password is right in this example. */
export function userRoutes() {
  const router = new Router();
  router.post('/login', (req, res) => {
    const { user, password } = req.body ?? {};
    if (typeof user !== 'string' || typeof password !== 'string') {
      return res.status(400).json({ error: 'Send user and password.' });
    }
    const token = randomBytes(24).toString('hex');
    users.set(token, { id: user });
    req.user = { id: user };
    return res.cookie('sid', token, { httpOnly: true }).json({ user, access_token: token });
  });
  return router;
}

/** @param {string | undefined} header the request's `Authorization` */
export function userOf(header) {
  return users.get(header?.replace(/^Bearer /, ''));
}
