import { describeOn } from './describe-on';
import { memory } from './engines/memory';

describeOn(memory);
