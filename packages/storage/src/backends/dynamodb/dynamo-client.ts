/** A value of DynamoDB: exactly one of these is there. */
export interface Attribute {
  readonly S?: string;
  readonly N?: string;
  readonly B?: Uint8Array;
  readonly L?: readonly Attribute[];
  readonly M?: Attributes;
}

export type Attributes = Readonly<Record<string, Attribute>>;

/** The part of `DynamoDBClient` that is used, so that a client of the user's fits as well. */
export interface DynamoClient {
  send(command: object): Promise<unknown>;
  destroy(): void;
}

export type CommandName =
  | 'BatchGetItemCommand'
  | 'BatchWriteItemCommand'
  | 'CreateTableCommand'
  | 'DeleteItemCommand'
  | 'DescribeTableCommand'
  | 'DescribeTimeToLiveCommand'
  | 'GetItemCommand'
  | 'PutItemCommand'
  | 'QueryCommand'
  | 'TransactWriteItemsCommand'
  | 'UpdateItemCommand'
  | 'UpdateTimeToLiveCommand';

/** The part of `@aws-sdk/client-dynamodb` 3 that is used. */
export type DynamoModule = Readonly<Record<CommandName, new (input: object) => object>> & {
  readonly DynamoDBClient: new (settings: object) => DynamoClient;
};
