import { listed } from './listed.js';
import type { ScriptClass } from './types.js';

/** What a script is about, with the words that show it: whole words, with the endings of plural and past; `stem*` is every word that begins so; `a b` are words in a row. */
export interface Topic {
  readonly topic: string;
  readonly class: ScriptClass;
  /** Each found counts once; those with a `!` before them decide alone, others only with a second. */
  readonly words: readonly string[];
}

/** Topics of the campaigns that regulators and traceback groups name in public; the first with the most words wins. */
export const TOPICS: readonly Topic[] = [
  {
    topic: 'SSA',
    class: 'government-impersonation',
    words: listed(
      '!social security, ssa, benefit, suspend, enforcement, officer, !seguro social, !seguridad social, 社会安全, 社會安全, 社保',
    ),
  },
  {
    topic: 'IRS',
    class: 'government-impersonation',
    words: listed('!internal revenue, !irs, tax, arrest, lawsuit, treasury, impuesto, 国税局, 國稅局, 税务, 稅務'),
  },
  {
    topic: 'CBP',
    class: 'government-impersonation',
    words: listed(
      '!border protection, !border patrol, customs, parcel, drugs, seized, intercepted, aduana, 海关, 海關',
    ),
  },
  {
    topic: 'Consulate',
    class: 'government-impersonation',
    words: listed(
      '!consulate, !embassy, !consulado, !embajada, 领事馆, 領事館, 大使馆, 大使館, passport, visa application',
    ),
  },
  {
    topic: 'Immigration',
    class: 'government-impersonation',
    words: listed('!immigration, deport, visa status, !inmigracion, !migracion, 移民局, 出入境'),
  },
  {
    topic: 'LegalDept',
    class: 'government-impersonation',
    words: listed(
      'legal action, legal department, warrant, lawsuit, case, investigation, arrest, court, federal reserve, crime, demanda, orden de arresto, 法院, 公安, 逮捕, 检察院',
    ),
  },
  {
    topic: 'Medicare',
    class: 'health',
    words: listed('!medicare, red white and blue, benefit, part b, supplement, 医疗保险, 醫療保險, 红蓝卡, 紅藍卡'),
  },
  {
    topic: 'HealthInsurance',
    class: 'health',
    words: listed(
      '!health insurance, !health plan, !healthcare plan, health coverage, enrollment, subsidy, affordable, blue cross, aetna, cigna, !seguro medico, !seguro de salud, obamacare, 健康保险, 健康保險',
    ),
  },
  {
    topic: 'MedicalDevice',
    class: 'health',
    words: listed(
      '!back brace, !knee brace, !medical alert, !brace, pain, orthopedic, cgm, glucose, diabetic, genetic test, fallen, alert system, 拐杖, 血糖',
    ),
  },
  {
    topic: 'Amazon',
    class: 'business-impersonation',
    words: listed('!amazon, prime, iphone, macbook, order, purchase, unauthorized, 亚马逊, 亞馬遜'),
  },
  {
    topic: 'Express',
    class: 'business-impersonation',
    words: listed(
      '!fedex, !ups, !dhl, !usps, package, parcel, delivery, paquete, entrega, 快递, 快遞, 快件, 包裹, 签收, 簽收',
    ),
  },
  {
    topic: 'Order',
    class: 'business-impersonation',
    words: listed(
      '!authorized order, !preauthorized order, !authorized purchase, order, purchase, charged, authorize, cancel, refund, pedido, compra, cargo, autoriz*, 订单, 訂單, 退款',
    ),
  },
  {
    topic: 'Bank',
    class: 'financial',
    words: listed(
      '!zelle, !cash app, !venmo, !wells fargo, !bank of america, !chase bank, bank account, debit card, blocked, suspend, cuenta bancaria, tarjeta de debito, 银行, 銀行, 转账, 轉賬',
    ),
  },
  {
    topic: 'CCIRR',
    class: 'financial',
    words: listed(
      '!interest rate, !cardholder services, !card services, rate, discover, credit card, visa, mastercard, zero percent, payment history, qualify, lower, tasa de interes, tarjeta de credito, 信用卡, 利率',
    ),
  },
  {
    topic: 'StudentLoan',
    class: 'student-loan',
    words: listed(
      '!student loan, forgiveness, federal loan, repayment, navient, !prestamo estudiantil, !prestamos estudiantiles, 学生贷款, 學生貸款, 助学贷款',
    ),
  },
  {
    topic: 'DebtRelief',
    class: 'debt-relief',
    words: listed(
      '!debt relief, !debt consolidation, !debt settlement, debt, creditor, lender, unsecured, relief, hardship, alivio de deuda, deuda, 债务, 債務',
    ),
  },
  {
    topic: 'Loan',
    class: 'financial',
    words: listed(
      '!personal loan, !preapproved for a, !business loan, loan, approved, funding, working capital, payday, prestamo, 贷款, 貸款',
    ),
  },
  {
    topic: 'Mortgage',
    class: 'financial',
    words: listed('!mortgage, refinance, equity, homeowner, hipoteca, 房贷, 房貸'),
  },
  {
    topic: 'AutoWarranty',
    class: 'warranty',
    words: listed(
      '!car warranty, !auto warranty, !extended warranty, !manufacturers warranty, car, dealer, !vehicle warranty, !vehicles warranty, warranty, vehicle, coverage, factory, garantia, vehiculo, 汽车保修, 保修',
    ),
  },
  {
    topic: 'HomeWarranty',
    class: 'warranty',
    words: listed('!home warranty, !homes warranty, appliance, garantia del hogar'),
  },
  {
    topic: 'Utility',
    class: 'utility',
    words: listed(
      '!electric bill, !disconnection, !disconnect, utility, power, electric, meter, technician, interruption of service, gas company, rebate, billing department, electricidad, factura de luz, corte, 电费, 電費, 停电, 停電',
    ),
  },
  {
    topic: 'ISP',
    class: 'business-impersonation',
    words: listed(
      '!comcast, !xfinity, !spectrum, !verizon, !at t, !tmobile, !directv, cable, internet service, wireless, percent off, internet bill, 宽带',
    ),
  },
  {
    topic: 'Computer',
    class: 'tech-support',
    words: listed(
      '!microsoft, !windows, !norton, !mcafee, !geek squad, computer, virus, hacked, hijack, antivirus, ip address, subscription, renew, refund, security breach, computadora, 电脑, 電腦, 病毒',
    ),
  },
  {
    topic: 'Apple',
    class: 'tech-support',
    words: listed('!apple support, !icloud, !apple id, apple, breached, compromised, iphone, 苹果, 蘋果'),
  },
  {
    topic: 'Travel',
    class: 'travel-prize',
    words: listed(
      '!vacation, !cruise, !marriott, !hilton, !timeshare, resort, travel, stay, reward, destination, bahamas, vacaciones, crucero, 旅游, 旅遊',
    ),
  },
  {
    topic: 'Prize',
    class: 'travel-prize',
    words: listed(
      '!sweepstakes, !publishers clearing, !lottery, prize, winner, won, congratulations, gift card, premio, ganador, loteria, 中奖, 中獎, 奖金',
    ),
  },
  {
    topic: 'Solar',
    class: 'home-services',
    words: listed('!solar, panel, energy, electric bill, homeowner, paneles solares, 太阳能, 太陽能'),
  },
  {
    topic: 'HomeImprovement',
    class: 'home-services',
    words: listed(
      '!roof, !home security, !duct cleaning, !windows and, gutter, alarm system, free estimate, remodel, techo',
    ),
  },
  {
    topic: 'HouseBuyer',
    class: 'home-services',
    words: listed(
      '!cash offer, !sell your house, !sell your home, !buy your house, property, real estate, vender su casa',
    ),
  },
  {
    topic: 'BusinessListing',
    class: 'business-services',
    words: listed(
      '!google listing, !business listing, !google business, google, listing, search engine, verify, front page, business owner, 商家',
    ),
  },
  {
    topic: 'PaymentProcessing',
    class: 'business-services',
    words: listed('!merchant, !credit card processing, !card processing, terminal, processing fees'),
  },
  {
    topic: 'School',
    class: 'lawful-looking',
    words: listed(
      '!school district, !elementary school, !high school, !middle school, school, students, parents, principal, closed, bus, escuela, estudiantes, 学校, 學校',
    ),
  },
  {
    topic: 'Pharmacy',
    class: 'lawful-looking',
    words: listed('!prescription, !pharmacy, refill, ready for pickup, farmacia, !receta, 药房, 藥房, 处方'),
  },
  {
    topic: 'Appointment',
    class: 'lawful-looking',
    words: listed(
      '!your appointment, !an appointment, reminder, confirm, reschedule, doctor, clinic, dental, cita, 预约, 預約',
    ),
  },
  {
    topic: 'Political',
    class: 'lawful-looking',
    words: listed(
      '!paid for by, !vote for, !election day, vote, election, candidate, senator, congress, ballot, poll, votar, elecciones, 投票, 选举',
    ),
  },
  {
    topic: 'DebtCollection',
    class: 'lawful-looking',
    words: listed(
      '!debt collector, !attempt to collect, collect, personal business matter, cobrador, cobrar una deuda',
    ),
  },
];
