import { describeOn } from './describe-on';
import { postgres } from './engines/postgres';

describeOn(postgres);
