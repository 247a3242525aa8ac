#ifndef WORKER_MODELS_SENSITIVITY_H
#define WORKER_MODELS_SENSITIVITY_H

/*
 * Relative ReLU sensitivity eta of each activation, last one = 1 (methods.md 4.2, as
 * recovered there from the released layer budgets of RLNet). Budgets are proportional
 * to it.
 */

/* ResNet18's 17 and ResNet34's 33 values; a relative of another depth reads ResNet18's
 * curve at the same relative depth, linearly between its points (our choice: the papers
 * have no such networks). n >= 2. */
void sensitivity_resnet(double *eta, int n);

/* WRN-22-8's 19 values, read in the same way for other depths. */
void sensitivity_wrn(double *eta, int n);

/* The same without the stem's, and without the last: SNL's networks have no activation
 * there. */
void sensitivity_resnet18_snl(double *eta, int n);
void sensitivity_wrn_snl(double *eta, int n);

#endif
