import { describeOn } from './describe-on';
import { redis } from './engines/redis';

describeOn(redis);
