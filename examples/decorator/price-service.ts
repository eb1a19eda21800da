import { storeApiData } from '@recap/capture';

export interface Price {
  readonly sku: string;
  readonly amount: number;
}

/** No HTTP in sight: an entry of these calls holds the arguments and the result. */
export class PriceService {
  @storeApiData({ metadata: { component: 'prices' } })
  async quote(sku: string, { quantity }: { readonly quantity: number }): Promise<Price> {
    if (quantity < 1) throw new RangeError(`Nobody can order ${quantity} of ${sku}.`);
    return { sku, amount: 4.2 * quantity };
  }
}
