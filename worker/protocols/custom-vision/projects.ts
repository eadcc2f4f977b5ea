/** Projects and domains. */
import { z } from 'zod';
import { DisplayName } from '../../../src/api/index.ts';
import { ApiError } from '../../http/problem.ts';
import { withProject, type CallerApp, type ProjectCaller } from './caller.ts';
import { isUuid } from './ids.ts';
import { readBody } from './input.ts';
import { headPath } from './own-api.ts';
import { MAX_PROJECTS, type Project } from './records.ts';
import { GENERAL_DOMAIN, projectOf } from './wire.ts';

const Description = z.string().max(1_000);
const DomainId = z.string().refine(isUuid, 'must be the id of a domain');
const Changes = z.object({ name: DisplayName.optional(), description: Description.nullish() });

export function addProjects(app: CallerApp): void {
  app.get('/domains', (c) => c.json([GENERAL_DOMAIN]));
  app.get('/domains/:domain', (c) => c.json({ ...GENERAL_DOMAIN, id: c.req.param('domain') }));
  app.get('/projects', async (c) => c.json((await c.var.records.projects()).map(projectOf)));
  app.get('/projects/:project', withProject, (c) => c.json(projectOf(c.var.project)));

  app.post('/projects', async (c) => {
    const type = c.req.query('classificationType');
    if (type !== undefined && type !== 'Multiclass') {
      throw refused('classificationType', 'Only Multiclass projects can be made: one tag a picture.');
    }
    const now = new Date().toISOString();
    const id = crypto.randomUUID();
    const name = checked(DisplayName, c.req.query('name'), 'name');
    const project: Project = {
      id,
      name,
      description: checked(Description, c.req.query('description') ?? '', 'description'),
      head: await freeName(c.var, name, id),
      domainId: checked(DomainId, c.req.query('domainId') ?? GENERAL_DOMAIN.id, 'domainId'),
      created: now,
      modified: now,
    };
    await c.var.records.put(`projects/${id}`, project);
    return c.json(projectOf(project));
  });

  app.patch('/projects/:project', withProject, async (c) => {
    const { project } = c.var;
    const { name, description } = await readBody(c, Changes);
    const changed: Project = {
      ...project,
      name: name ?? project.name,
      description: description ?? project.description,
      modified: new Date().toISOString(),
    };
    await c.var.records.put(`projects/${project.id}`, changed);
    return c.json(projectOf(changed));
  });

  app.delete('/projects/:project', withProject, async (c) => {
    const { records, api } = c.var;
    const { id, head } = c.var.project;
    if ((await records.published(id)).length > 0) {
      throw refused('project', 'The project has a published iteration; unpublish it first.');
    }
    // A project that was never taught has no head.
    await api.remove(headPath(head));
    // The project's own record last, so that a deletion that broke off can be repeated; then what was written meanwhile.
    await records.deleteAll(`${id}/`);
    await records.delete(`projects/${id}`);
    await records.deleteAll(`${id}/`);
    return c.body(null, 204);
  });
}

/** A head's name after the project's; with a piece of the id where it is somebody's already. */
async function freeName(
  { records, api }: Pick<ProjectCaller, 'records' | 'api'>,
  name: string,
  id: string,
): Promise<string> {
  const projects = await records.projects();
  if (projects.length >= MAX_PROJECTS) {
    throw new ApiError('limit_reached', `This tenant has ${MAX_PROJECTS} projects; delete one first.`);
  }
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .replace(/(?<!-)-+$/, '')
    .slice(0, 50);
  const taken = new Set(projects.map(({ head }) => head));
  if (plain === '') return `project-${id.slice(0, 8)}`;
  const free = !taken.has(plain) && (await api.find(headPath(plain), z.unknown())) === undefined;
  return free ? plain : `${plain}-${id.slice(0, 8)}`;
}

export function checked<S extends z.ZodType>(schema: S, value: unknown, field: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refused(field, `'${field}': ${result.error.issues[0]?.message ?? 'is not valid'}.`);
}

export function refused(field: string, detail: string): ApiError {
  return new ApiError('invalid_request', detail, { field });
}
