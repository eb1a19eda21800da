import 'reflect-metadata';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoreApiDataOptions } from '@recap/capture';
import { storageMiddleware, type StorageMiddlewareOptions } from '@recap/capture/express';
import type express from 'express';
// Under names that are no globals of Node, which the compiler would take for the types of the parameters.
import type { Request as ExpressRequest, Response as ExpressResponse } from 'express';
import {
  Body,
  Controller,
  Get,
  HeaderParam,
  HttpCode,
  HttpError,
  JsonController,
  Middleware,
  Param,
  Post,
  Redirect,
  Req,
  Res,
  UseBefore,
  UseInterceptor,
  useExpressServer,
  type Action,
  type ExpressErrorMiddlewareInterface,
} from 'routing-controllers';
import { decoratorsFor, type Place } from './rig';

/** A program of routing-controllers; the decorator stands above the route decorators, below them, or nowhere. */
export function routingControllersProgram(
  framework: typeof express,
  place: Place,
  options: StoreApiDataOptions,
  middleware?: StorageMiddlewareOptions,
): express.Express {
  const { above, below } = decoratorsFor(place, options);

  class Catalogue {
    @above({ step: 'find' })
    @below({ step: 'find' })
    async find(id: number) {
      await nextTurn();
      return { id };
    }
  }
  const catalogue = new Catalogue();

  @JsonController('/users')
  class UsersController {
    readonly greeting = 'hello';

    @above({ route: 'one' })
    @Get('/:id')
    @below({ route: 'one' })
    async one(@Param('id') id: number, @HeaderParam('host') host: string) {
      return { ...(await catalogue.find(id)), host, greeting: this.greeting };
    }

    @above({ route: 'create' })
    @Post('/')
    @HttpCode(202)
    @below({ route: 'create' })
    create(@Body() user: { name: string }) {
      return { made: user.name };
    }

    @above({ route: 'refused' })
    @Get('/x/refused')
    @UseBefore((_request: ExpressRequest, response: ExpressResponse) =>
      response.status(403).end('not for you'),
    )
    @below({ route: 'refused' })
    refused() {
      return 'never';
    }

    @above({ route: 'wrapped' })
    @Get('/x/wrapped')
    @UseInterceptor((_action: Action, content: unknown) => ({ content }))
    @below({ route: 'wrapped' })
    wrapped() {
      return { inner: true };
    }

    @above({ route: 'broken' })
    @Get('/x/broken')
    @below({ route: 'broken' })
    async broken() {
      await nextTurn();
      throw new HttpError(418, 'trouble');
    }

    @above({ route: 'moved' })
    @Get('/x/moved')
    @Redirect('/users/1')
    @below({ route: 'moved' })
    moved() {
      return undefined;
    }
  }

  @Controller('/pages')
  class PagesController {
    @above({ route: 'own' })
    @Get('/own/:name')
    @below({ route: 'own' })
    own(@Req() request: ExpressRequest, @Res() response: ExpressResponse) {
      return response.status(203).send(`for ${String(request.params['name'])}`);
    }

    @above({ route: 'text' })
    @Get('/text')
    @below({ route: 'text' })
    text() {
      return 'plain text';
    }

    @above({ route: 'stream' })
    @Get('/stream')
    @below({ route: 'stream' })
    stream() {
      return Readable.from(Array.from({ length: 5 }, (_, at) => Buffer.from(`part ${String(at)} `)));
    }
  }

  @Middleware({ type: 'after' })
  class Errors implements ExpressErrorMiddlewareInterface {
    error(error: HttpError, _request: ExpressRequest, response: ExpressResponse, _next: () => void) {
      response.status(error.httpCode).json({ error: error.message });
    }
  }

  const app = framework();
  app.set('env', 'test');
  if (middleware !== undefined) app.use(storageMiddleware(middleware));
  useExpressServer(app, {
    controllers: [UsersController, PagesController],
    middlewares: [Errors],
    defaultErrorHandler: false,
  });
  return app;
}
