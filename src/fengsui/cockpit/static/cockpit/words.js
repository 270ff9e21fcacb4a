/* The few words that scripts write themselves, in the page's language. */
const chinese = document.documentElement.lang.startsWith('zh')

const zh = {
  moment: '不到 1 分', min: m => `${m} 分`, hour: (h, m) => `${h} 时 ${m} 分`, day: (d, h) => `${d} 天 ${h} 小时`,
  over: t => `逾期 ${t}`, left: t => `剩 ${t}`,
  weekdays: ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六'],
  kept: t => `已恢复您 ${t} 填写的内容。`, unsure: t => `您 ${t} 提交的内容未收到受理回执，已恢复，请核对后再次提交。`, discard: '清除',
  sentback: (t, why) => `您 ${t} 提交的内容未受理，已恢复，请修改后重新提交。${why}`,
  nofiles: '本机存不下所选的照片或文件，请提交后再离开本页。', lostfiles: names => `本机没有保存：${names}。请重新选择。`, comma: '、',
  noroom: '暂时连不上，本机也存不下，请不要关闭本页，有网后重新提交。',
  offline: '暂时连不上，内容已存本机，有网后自动提交。', sent: '已提交。', pending: n => `待传 ${n}`,
  cut: t => `暂时连不上，显示 ${t} 的数据`, away: t => `数据库没有应答，显示 ${t} 的数据，暂时不能办理`,
  full: t => `服务器磁盘已满，显示 ${t} 的数据，暂时不能办理，请通知系统管理员`, nothing: '没有找到。', cases: '事项', places: '行政区划', sites: '企业',
  chosen: n => `已选 ${n} 件`, refused: '未受理，请打开修改：', copied: '已复制地址', remove: '移除照片', near: '已取得当前位置', noplace: '取不到位置，请手工选择。',
  room: n => `还可写 ${n} 字`, beyond: n => `超出 ${n} 字，请删减后提交`
}
const en = {
  moment: 'under 1 min', min: m => `${m} min`, hour: (h, m) => `${h} h ${m} min`, day: (d, h) => `${d} d ${h} h`,
  over: t => `${t} overdue`, left: t => `${t} left`,
  weekdays: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  kept: t => `What you typed at ${t} is back.`, unsure: t => `No receipt came for what you sent at ${t}: it is back, please check it and send it again.`, discard: 'Discard',
  sentback: (t, why) => `What you sent at ${t} was not accepted. It is back: please correct it and send it again. ${why}`,
  nofiles: 'This device has no room to keep the chosen photos or files: send before you leave this page.', lostfiles: names => `Not kept on this device: ${names}. Please choose again.`, comma: ', ',
  noroom: 'No line, and no room on this device to keep this: leave the page open and send it once the line is back.',
  offline: 'No line. Your text is kept here and will be sent once the line is back.', sent: 'Sent.', pending: n => `${n} to send`,
  cut: t => `No line: showing what was known at ${t}`, away: t => `The database does not answer: showing what was known at ${t}, nothing can be done now`,
  full: t => `The server’s disk is full: showing what was known at ${t}, nothing can be done now; tell the administrator`, nothing: 'Nothing found.', cases: 'Cases', places: 'Places', sites: 'Sites',
  chosen: n => `${n} selected`, refused: 'Not accepted, please open and correct: ', copied: 'Address copied', remove: 'Remove the photo', near: 'Position taken', noplace: 'No position available, please choose by hand.',
  room: n => `room for ${n} more characters`, beyond: n => `${n} characters too many: shorten it before you send`
}

export const words = chinese ? zh : en
