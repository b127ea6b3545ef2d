/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AAPCS64: a call preserves x19-x29, sp and the low halves of v8-v15; x30 is
 * the return address.  A resting stack is this frame of 160 bytes:
 *
 *	x19 x20 … x29 x30  d8 … d15
 */
	.text

/* void fiber_jump(void **save, void *sp) */
	.globl	fiber_jump
	.type	fiber_jump, %function
	.p2align 4
fiber_jump:
	.cfi_startproc
	sub	sp, sp, #160
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	br	x30	/* not ret: the return predictor would be wrong */
	.cfi_endproc
	.size	fiber_jump, . - fiber_jump

/* The first return address of a fiber: entry in x19, its argument in x20. */
	.type	fiber_start, %function
	.p2align 4
fiber_start:
	.cfi_startproc
	.cfi_undefined x30	/* backtraces end here */
	mov	x0, x20
	mov	x29, xzr
	blr	x19
	brk	#1
	.cfi_endproc
	.size	fiber_start, . - fiber_start

/* void *fiber_prepare(void *stack, size_t size, fiber_entry *, void *arg) */
	.globl	fiber_prepare
	.type	fiber_prepare, %function
	.p2align 4
fiber_prepare:
	.cfi_startproc
	add	x9, x0, x1
	and	x9, x9, #-16
	sub	x9, x9, #160
	stp	x2, x3, [x9, #0]
	adr	x10, fiber_start
	stp	xzr, x10, [x9, #80]
	mov	x0, x9
	ret
	.cfi_endproc
	.size	fiber_prepare, . - fiber_prepare

	.section .note.GNU-stack, "", %progbits
