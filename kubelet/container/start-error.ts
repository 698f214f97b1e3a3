/**
 * A container could not be started. `reason` is what the pod's status shows as the reason for waiting, as in the original:
 * ErrImagePull, ImagePullBackOff, CreateContainerConfigError, RunContainerError ...
 */
export class StartError extends Error {
  override readonly name: string = 'StartError';
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The definition refers to something that is not there or not allowed. */
export class CreateContainerConfigError extends StartError {
  override readonly name = 'CreateContainerConfigError';
  constructor(message: string) {
    super('CreateContainerConfigError', message);
  }
}
