/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack: a file system with all that stands around it (mount targets, access
 * points, a security group, alarms), declared by one YAML file, whose keys are
 * the inputs of the Terraform module in deploy/terraform.
 *
 * It is a client of AWS's APIs like any other, and keeps no state of its own:
 * what belongs to a stack is found by what it was created with (the creation
 * token, client tokens, names, the tag hawser:stack), so a run that was killed
 * between any two calls is finished by the next.
 */
#ifndef STACK_STACK_H
#define STACK_STACK_H

/* hawser plan | apply | outputs | destroy: exit statuses. */
int stack_plan_main(int argc, char **argv);
int stack_apply_main(int argc, char **argv);
int stack_outputs_main(int argc, char **argv);
int stack_destroy_main(int argc, char **argv);

#endif
