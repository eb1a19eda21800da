import { describeOn } from './describe-on';
import { mongodb } from './engines/mongodb';

describeOn(mongodb);
