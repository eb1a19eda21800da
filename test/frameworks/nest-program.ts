import 'reflect-metadata';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Body,
  Catch,
  Controller,
  ForbiddenException,
  Get,
  Header,
  Headers,
  HttpCode,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Redirect,
  Req,
  Res,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestModule,
} from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import type { StoreApiDataOptions } from '@recap/capture';
import { storageMiddleware, type StorageMiddlewareOptions } from '@recap/capture/express';
import type { Request, Response } from 'express';
import { concatMap, from, map, of } from 'rxjs';
import { decoratorsFor, type Place } from './rig';

class Trouble extends Error {
  override readonly name = 'Trouble';
}

/** A program of NestJS; the decorator stands above the route decorators, below them, or nowhere. */
export async function nestProgram(
  place: Place,
  options: StoreApiDataOptions,
  middleware?: StorageMiddlewareOptions,
  mount: 'on the app' | 'by a module' = 'on the app',
): Promise<INestApplication> {
  const { above, below } = decoratorsFor(place, options);

  @Injectable()
  class CatService {
    readonly kind = 'tabby';

    @above({ step: 'find' })
    @below({ step: 'find' })
    async find(id: number) {
      await nextTurn();
      if (id === 404) throw new NotFoundException('no such cat');
      return { id, kind: this.kind };
    }
  }

  @Injectable()
  class Guard implements CanActivate {
    constructor(private readonly reflector: Reflector) {}

    canActivate(context: ExecutionContext) {
      const roles = this.reflector.get<string[] | undefined>('roles', context.getHandler());
      if (roles === undefined) throw new ForbiddenException('not for you');
      return true;
    }
  }

  @Injectable()
  class Wrap implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler) {
      const handler = context.getHandler().name;
      return next.handle().pipe(map((data: unknown) => ({ data, handler })));
    }
  }

  @Catch(Trouble)
  class TroubleFilter implements ExceptionFilter<Trouble> {
    catch(error: Trouble, host: ArgumentsHost) {
      host.switchToHttp().getResponse<Response>().status(418).json({ trouble: error.message });
    }
  }

  const roles = (...names: string[]): MethodDecorator => {
    return (_target, _key, descriptor) => {
      Reflect.defineMetadata('roles', names, descriptor.value as object);
    };
  };

  @Controller('cats')
  class CatsController {
    constructor(private readonly cats: CatService) {}

    @above({ route: 'one' })
    @Get(':id')
    @below({ route: 'one' })
    async one(
      @Param('id', ParseIntPipe) id: number,
      @Query('verbose') verbose: string | undefined,
      @Headers('host') host: string,
    ) {
      return { ...(await this.cats.find(id)), verbose, host };
    }

    @above({ route: 'create' })
    @Post()
    @HttpCode(202)
    @Header('X-Made', 'yes')
    @below({ route: 'create' })
    create(@Body() cat: { name: string }) {
      return { made: cat.name };
    }

    @above({ route: 'refused' })
    @Get('x/refused')
    @UseGuards(Guard)
    @below({ route: 'refused' })
    refused() {
      return 'never';
    }

    @above({ route: 'guarded' })
    @Get('x/guarded')
    @roles('admin')
    @UseGuards(Guard)
    @UseInterceptors(Wrap)
    @below({ route: 'guarded' })
    guarded() {
      return of({ from: 'an observable' });
    }

    @above({ route: 'filtered' })
    @Get('x/filtered')
    @UseFilters(TroubleFilter)
    @below({ route: 'filtered' })
    filtered() {
      throw new Trouble('caught by a filter');
    }

    @above({ route: 'broken' })
    @Get('x/broken')
    @below({ route: 'broken' })
    async broken(@Req() _request: Request) {
      await nextTurn();
      throw new RangeError('caught by nobody');
    }

    @above({ route: 'own' })
    @Get('x/own/:name')
    @below({ route: 'own' })
    own(@Req() request: Request, @Res() response: Response) {
      response
        .status(203)
        .type('text')
        .send(`for ${String(request.params['name'])}`);
    }

    @above({ route: 'passthrough' })
    @Get('x/passthrough')
    @below({ route: 'passthrough' })
    passthrough(@Res({ passthrough: true }) response: Response) {
      response.cookie('seen', '1');
      return { passed: true };
    }

    @above({ route: 'moved' })
    @Get('x/moved')
    @Redirect('/cats/1', 307)
    @below({ route: 'moved' })
    moved() {
      return undefined;
    }

    @above({ route: 'file' })
    @Get('x/file')
    @below({ route: 'file' })
    file() {
      const parts = Array.from({ length: 5 }, (_, at) => Buffer.from(`part ${String(at)} `));
      return new StreamableFile(Readable.from(parts), {
        type: 'text/plain',
        disposition: 'attachment; filename="parts.txt"',
      });
    }

    @above({ route: 'events' })
    @Sse('x/events')
    @below({ route: 'events' })
    events() {
      return from([1, 2, 3]).pipe(concatMap(async (at) => ({ data: { at }, id: String(at) })));
    }
  }

  @Module({ controllers: [CatsController], providers: [CatService, Guard] })
  class CatsModule implements NestModule {
    configure(consumer: MiddlewareConsumer) {
      if (middleware === undefined || mount === 'on the app') return;
      consumer.apply(storageMiddleware(middleware)).forRoutes('{*every}');
    }
  }

  const app = await NestFactory.create(CatsModule, { logger: false, abortOnError: false });
  if (middleware !== undefined && mount === 'on the app') app.use(storageMiddleware(middleware));
  await app.listen(0, '127.0.0.1');
  return app;
}
