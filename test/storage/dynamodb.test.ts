import { describeOn } from './describe-on';
import { dynamodb } from './engines/dynamodb';

describeOn(dynamodb);
