/**
 * Azure Custom Vision's classification: the training API (v3.x) and the prediction API (v3.x), spoken by a layer over our
 * own. Projects are heads, tags classes, iterations versions; docs/migrating-from-custom-vision.md says what differs.
 */
import { Hono } from 'hono';
import type { App } from '../../env.ts';
import type { Services } from '../../isolate/services.ts';
import { asCaller, customVisionErrors, type CallerApp, type CallerEnv } from './caller.ts';
import { addImages } from './images.ts';
import { addIterations } from './iterations.ts';
import { addPrediction } from './prediction.ts';
import { addStoredPredictions } from './stored-predictions.ts';
import { addProjects } from './projects.ts';
import { addTags } from './tags.ts';

/** Any version of the third generation. */
const BASE = '/customvision/:version{v3\\.[0-9][a-z0-9.-]*}';
/**
 * Clients differ in how they write an API's name. Two patterns in the same place of a path would be beyond Hono's fast
 * router, for the routes of the whole application.
 */
const TRAINING = ['training', 'Training'];
const PREDICTION = ['prediction', 'Prediction'];

export function addCustomVision(app: App, services: Services): void {
  app.use('/customvision/*', customVisionErrors);
  const training: CallerApp = new Hono<CallerEnv>();
  training.use(asCaller(app, services, 'training-key', 'write'));
  addProjects(training);
  addTags(training);
  addImages(training, services);
  addIterations(training);
  addStoredPredictions(training);
  for (const name of TRAINING) app.route(`${BASE}/${name}`, training);
  const prediction: CallerApp = new Hono<CallerEnv>();
  prediction.use(asCaller(app, services, 'prediction-key', 'read'));
  addPrediction(prediction);
  for (const name of PREDICTION) app.route(`${BASE}/${name}`, prediction);
}
