import { setTimeout as wait } from 'node:timers/promises';
import { Router } from 'express';
import { annotate } from '@recap/capture';
import { countWords, generate, MODEL } from './text-generator.mjs';

/** A chat in the shape that AI services have; what answers is `text-generator.mjs`. */
export function aiRoutes() {
  const router = new Router();

  router.post('/chat', async (req, res) => {
    const { messages, stream = false, conversation_id: conversation } = req.body ?? {};
    if (!Array.isArray(messages) || messages.length === 0) {
      return res.status(400).json({ error: 'messages must be a list with at least one message.' });
    }
    const content = generate(messages);
    const usage = usageOf(messages, content);
    annotate(req, { model: MODEL, stream, conversation, usage });
    if (stream) return sendEvents(res, content, usage);
    return res.json({ model: MODEL, message: { role: 'assistant', content }, usage });
  });

  return router;
}

async function sendEvents(res, content, usage) {
  res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const word of content.split(' ')) {
    // The client has hung up.
    if (res.destroyed) return;
    res.write(`data: ${JSON.stringify({ delta: `${word} ` })}\n\n`);
    await wait(5);
  }
  res.end(`data: ${JSON.stringify({ model: MODEL, usage })}\n\ndata: [DONE]\n\n`);
}

function usageOf(messages, content) {
  const prompt = messages.reduce((sum, message) => sum + countWords(message.content), 0);
  const completion = countWords(content);
  return { prompt_tokens: prompt, completion_tokens: completion, tokens: prompt + completion };
}
