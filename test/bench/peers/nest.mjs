import 'reflect-metadata';
import { Controller, Get, HttpCode, Module, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** The measured program on NestJS 11, by its Express platform; a recorder may bring modules, or a middleware. */
export async function createProgram({ before, imports = [], afterStart }, onAnswer) {
  class EchoController {
    echo(request) {
      onAnswer();
      return request.body;
    }

    empty() {
      onAnswer();
      return { ok: true };
    }
  }
  decorate(EchoController, 'echo', [Post('echo'), HttpCode(200)]);
  decorate(EchoController, 'empty', [Get('empty')]);
  Req()(EchoController.prototype, 'echo', 0);
  Controller()(EchoController);

  class ProgramModule {}
  Module({ imports, controllers: [EchoController] })(ProgramModule);

  const app = await NestFactory.create(ProgramModule, { logger: false, abortOnError: false });
  for (const middleware of before) app.use(middleware);
  app.useBodyParser('json', { limit: '1mb' });
  await app.init();
  afterStart?.(app);
  return app.getHttpServer();
}

/** What a compiler makes of decorators on a method. */
function decorate({ prototype }, name, decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  for (const apply of decorators) apply(prototype, name, descriptor);
}
