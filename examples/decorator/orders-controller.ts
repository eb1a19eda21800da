import type { Request, Response } from 'express';
import { storeApiData, StorageType } from '@recap/capture';
import type { PriceService } from './price-service';

interface Order {
  readonly sku: string;
  readonly quantity: number;
}

export class OrdersController {
  constructor(private readonly prices: PriceService) {}

  /** Kept for a week, and found by its metadata. */
  @storeApiData({ ttlDays: 7, metadata: { feature: 'orders' } })
  async create(req: Request, res: Response): Promise<void> {
    const { sku, quantity } = req.body as Order;
    const { amount } = await this.prices.quote(sku, { quantity });
    res.status(201).json({ sku, quantity, amount });
  }

  /** Only what was answered is kept. */
  @storeApiData({ storageType: StorageType.RESPONSE, metadata: { feature: 'status' } })
  status(_req: Request, res: Response): void {
    res.json({ open: true });
  }
}
