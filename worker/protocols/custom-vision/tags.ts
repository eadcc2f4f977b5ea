/** Tags: a head's classes, which may be there before their first picture. */
import { z } from 'zod';
import { TaughtLabel } from '../../../src/api/index.ts';
import { MAX_CLASSES_PER_TAUGHT_HEAD } from '../../limits.ts';
import { ApiError } from '../../http/problem.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { withProject, type CallerApp } from './caller.ts';
import { readBody } from './input.ts';
import { headPath, type OwnApi } from './own-api.ts';
import { checked, refused } from './projects.ts';
import type { Project, Tag } from './records.ts';
import { tagOf } from './wire.ts';

const Description = z.string().max(1_000);
const Type = z.enum(['Regular', 'Negative']);
const Changes = z.object({
  name: TaughtLabel.optional(),
  description: Description.nullish(),
  type: Type.optional(),
});
const Total = z.object({ total: z.int() });

export function addTags(app: CallerApp): void {
  app.get('/projects/:project/tags', withProject, async (c) => {
    const { records, project } = c.var;
    const { id, head } = project;
    const [tags, classes] = await Promise.all([
      records.tags(id),
      callOwnTenant(c, (stub) => stub.examples.classes(head)),
    ]);
    const counts = new Map(classes.map(({ label, examples }) => [label, examples]));
    return c.json(tags.map((tag) => tagOf(tag, counts.get(tag.label) ?? 0)));
  });

  app.get('/projects/:project/tags/:tag', withProject, async (c) => {
    const { records, api, project } = c.var;
    const tag = await records.tag(project.id, c.req.param('tag'));
    return c.json(tagOf(tag, await countOf(api, project, tag)));
  });

  app.post('/projects/:project/tags', withProject, async (c) => {
    const { records, project } = c.var;
    const name = checked(TaughtLabel, c.req.query('name'), 'name');
    const tags = await records.tags(project.id);
    assertFree(tags, name);
    if (tags.length >= MAX_CLASSES_PER_TAUGHT_HEAD) {
      throw new ApiError('limit_reached', `The project has ${tags.length} tags, as many as it may.`);
    }
    const tag: Tag = {
      id: crypto.randomUUID(),
      name,
      label: name,
      description: checked(Description, c.req.query('description') ?? '', 'description'),
      type: checked(Type, c.req.query('type') ?? 'Regular', 'type'),
    };
    await records.put(`${project.id}/tags/${tag.id}`, tag);
    return c.json(tagOf(tag, 0));
  });

  app.patch('/projects/:project/tags/:tag', withProject, async (c) => {
    const { records, api, project } = c.var;
    const tag = await records.tag(project.id, c.req.param('tag'));
    const { name, description, type } = await readBody(c, Changes);
    if (name !== undefined) {
      const others = (await records.tags(project.id)).filter(({ id }) => id !== tag.id);
      assertFree(others, name);
    }
    const changed: Tag = {
      ...tag,
      name: name ?? tag.name,
      description: description ?? tag.description,
      type: type ?? tag.type,
    };
    await records.put(`${project.id}/tags/${tag.id}`, changed);
    return c.json(tagOf(changed, await countOf(api, project, changed)));
  });

  app.delete('/projects/:project/tags/:tag', withProject, async (c) => {
    const { records, api } = c.var;
    const { id, head } = c.var.project;
    const tag = await records.tag(id, c.req.param('tag'));
    // A tag without pictures is no class yet.
    await api.remove(`${headPath(head)}/classes/${encodeURIComponent(tag.label)}`);
    await records.delete(`${id}/tags/${tag.id}`);
    return c.body(null, 204);
  });
}

/** @throws ApiError invalid_request where a tag has the name, or is the class of it. */
function assertFree(tags: readonly Tag[], wanted: string): void {
  if (tags.some(({ name, label }) => name === wanted || label === wanted))
    throw refused('name', `The project has a tag '${wanted}' already.`);
}

async function countOf(api: OwnApi, { head }: Project, { label }: Tag): Promise<number> {
  const query = `?limit=1&label=${encodeURIComponent(label)}`;
  return (await api.find(`${headPath(head)}/examples${query}`, Total))?.total ?? 0;
}
