import { openRecorder, requestData, responseData } from './recording/open-recorder';
import { storeApiData } from '../src/store-api-data';

describe('@storeApiData as a standard decorator', () => {
  it('records arguments and results of methods, static ones too', async () => {
    const { recorder, entries } = openRecorder();
    class Service {
      readonly factor = 3;

      @storeApiData({ recorder })
      times(value: number) {
        return value * this.factor;
      }

      @storeApiData({ recorder })
      static half(value: number) {
        return value / 2;
      }
    }
    expect(new Service().times(2)).toBe(6);
    expect(Service.half(8)).toBe(4);
    const stored = await entries();
    expect(stored.map(({ endpoint }) => endpoint)).toEqual(['Service.times', 'Service.half']);
    expect(stored.map(requestData)).toEqual([[2], [8]]);
    expect(stored.map(responseData)).toEqual([6, 4]);
  });
});
