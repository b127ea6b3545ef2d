/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V ABI: a call preserves rbx, rbp, r12-r15 and rsp.  A resting stack
 * looks like this, from sp upwards:
 *
 *	r15 r14 r13 r12 rbx rbp  return address
 */
	.text

/* void fiber_jump(void **save, void *sp) */
	.globl	fiber_jump
	.type	fiber_jump, @function
	.p2align 4
fiber_jump:
	.cfi_startproc
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	/* Not ret: it would never go where the return predictor expects. */
	popq	%rcx
	jmp	*%rcx
	.cfi_endproc
	.size	fiber_jump, . - fiber_jump

/* The first return address of a fiber: entry in rbx, its argument in rbp. */
	.type	fiber_start, @function
	.p2align 4
fiber_start:
	.cfi_startproc
	.cfi_undefined rip	/* backtraces end here */
	movq	%rbp, %rdi
	xorl	%ebp, %ebp
	callq	*%rbx
	ud2
	.cfi_endproc
	.size	fiber_start, . - fiber_start

/* void *fiber_prepare(void *stack, size_t size, fiber_entry *, void *arg) */
	.globl	fiber_prepare
	.type	fiber_prepare, @function
	.p2align 4
fiber_prepare:
	.cfi_startproc
	leaq	(%rdi, %rsi), %rax
	andq	$-16, %rax		/* aligned before the call of entry */
	leaq	fiber_start(%rip), %r8
	movq	%r8, -8(%rax)
	movq	%rcx, -16(%rax)		/* rbp: arg */
	movq	%rdx, -24(%rax)		/* rbx: entry */
	leaq	-56(%rax), %rax
	ret
	.cfi_endproc
	.size	fiber_prepare, . - fiber_prepare

	.section .note.GNU-stack, "", @progbits
