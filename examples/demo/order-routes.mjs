import { Router } from 'express';

export function orderRoutes() {
  const orders = new Map([['1001', { id: '1001', sku: 'kettle', quantity: 1, state: 'shipped' }]]);
  const router = new Router();

  router.get('/:id', (req, res) => {
    const order = orders.get(req.params.id);
    if (!order) return res.status(404).json({ error: `There is no order ${req.params.id}.` });
    return res.json(order);
  });

  router.post('/:id', (req, res) => {
    const { sku, quantity, note } = req.body ?? {};
    if (!Number.isInteger(quantity) || quantity < 1) {
      return res.status(422).json({ error: 'quantity must be 1 or more.' });
    }
    // What a driver might say that was given a URL with a password.
    if (sku === 'moon') throw new Error(`No answer from ${process.env.WAREHOUSE_URL}`);
    const order = { id: req.params.id, sku, quantity, note, state: 'accepted' };
    orders.set(order.id, order);
    return res.status(201).json(order);
  });

  return router;
}
